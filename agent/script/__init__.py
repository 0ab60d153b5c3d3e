"""What a run in the browser leaves behind: its deeds, a plain Playwright test, a replay."""
