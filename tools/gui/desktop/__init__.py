"""Linux desktops under X11: read through AT-SPI or from pixels alone, used through xdotool."""
