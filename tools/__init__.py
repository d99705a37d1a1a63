"""Programs that make files of this repository: the demo clip and the screenshots."""
