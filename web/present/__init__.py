"""What each page shows, as one dataclass a page: routes make them, templates lay them out."""
