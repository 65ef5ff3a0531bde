"""For testing other people's software: certificates that are wrong in known ways."""
