"""Commands of the application, where Django looks for them."""
