"""How a page is looked at: theme, width, with a finger, with or without scripts.

A test that wants another look than the default says `@pytest.mark.parametrize("look", [DARK, NARROW], ids=str)`.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Look:
    theme: str = "light"
    width: int = 1440
    height: int = 900
    touch: bool = False
    script: bool = True

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}" + ("" if self.script else "-without-script")

    @property
    def options(self) -> dict[str, Any]:
        """For `browser.new_context`. Nothing moves, so that nothing is looked at half way."""
        return {
            "color_scheme": self.theme,
            "viewport": {"width": self.width, "height": self.height},
            "has_touch": self.touch,
            "java_script_enabled": self.script,
            "reduced_motion": "reduce",
            "locale": "en-GB",
        }


WIDE = Look()
DARK = Look(theme="dark")
NARROW = Look(width=390, height=844, touch=True)
NARROW_DARK = Look(theme="dark", width=390, height=844, touch=True)
WITHOUT_SCRIPT = Look(script=False)
