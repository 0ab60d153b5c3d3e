"""Android devices: read through uiautomator, used through adb. Not run on a device yet: tested
against a scripted ``adb`` and trees in the format of recorded ones."""
