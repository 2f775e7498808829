/** What one question may ask for, as on the server (ui/limits.py has each with a word about it). */
export const LIMITS = {
  MAX_TEXT_CHARACTERS: 20_000, MAX_NEW_TOKENS: 2_000, MAX_PLAY_TOKENS: 32, MAX_REWRITTEN_TOKENS: 200, MAX_ROLLED_TOKENS: 32,
  MAX_ROLLED_NUMBERS: 400_000, MAX_WRITTEN_TOKENS: 64, MAX_SCORED_TOKENS: 2_048, MAX_EFFECTS: 200_000_000_000,
};
