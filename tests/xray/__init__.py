"""What the tests of the X-ray share."""
