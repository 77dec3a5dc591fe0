"""What identifies a person or a device, and how it is taken out."""
