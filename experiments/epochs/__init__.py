"""What becomes of a network when the telescope's focus changes, C23's and C24's open problem."""
