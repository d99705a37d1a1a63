"""The customer's window: its layout, the screens of a sale, and the link to the camera."""
