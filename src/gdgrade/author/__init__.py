"""The instructor's kit: proving that graders are sound before a student meets them."""
