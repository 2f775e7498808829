"""Python faces of our own components: their JavaScript is in ui/assets, a module each."""
