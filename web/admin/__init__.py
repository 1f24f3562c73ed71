"""Administration: documents added, removed and rebuilt by those who hold a token."""
