"""What tests of the plugin run pytest with; bench/ loads the plugin itself."""

pytest_plugins = ["pytester"]
