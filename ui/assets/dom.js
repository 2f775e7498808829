/**
 * Making elements. Text from a person or a model becomes a text node, never markup.
 * @param {string} tag
 * @param {Record<string, unknown>} [properties] properties of the element; `class` and `aria-*`/`role`/`for` are attributes, `on` an object of listeners
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === 'class' || name === 'role' || name === 'for' || name.startsWith('aria-')) {
      element.setAttribute(name, String(value));
    } else {
      element[name] = value;
    }
  }
  element.append(...children);
  return element;
}

/**
 * What every component of ours gets from gradio.
 * @typedef {object} View
 * @property {HTMLElement} element where it draws
 * @property {{value: any}} props its value: set by the server, or by itself
 * @property {(event: string, data?: object) => void} trigger
 * @property {(name: string, callback: () => void) => void} watch runs the callback when the server has set a prop
 */
