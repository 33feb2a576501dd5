"""The languages whose endings every PostgreSQL from 15 on and the stemmer alike can take off."""

_NAMES = (
    "Arabic Armenian Basque Danish Dutch English Finnish French German Greek Hindi Hungarian Indonesian Irish Italian "
    "Lithuanian Nepali Norwegian Portuguese Romanian Russian Serbian Spanish Swedish Tamil Turkish Yiddish"
)
LANGUAGES = [("simple", "Another: compare whole words"), *((name.lower(), name) for name in _NAMES.split())]
