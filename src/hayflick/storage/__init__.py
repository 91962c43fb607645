"""The one owner of what is kept between runs."""
