"""Texts as Go has them: quoting, floats, URLs, times, durations, base64."""
