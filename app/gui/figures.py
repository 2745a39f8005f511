"""Numbers with their units as a person wants to read them. SI inside; this is the last step to a text."""

from dataclasses import dataclass

import numpy as np

from app.settings import Settings


@dataclass(frozen=True)
class Figures:
    """length: as_fits, mm or m; angle: deg or rad; decimal: point or comma (app/setting_rows.py)."""

    length_unit: str = "as_fits"
    angle_unit: str = "deg"
    decimal: str = "point"

    @classmethod
    def of(cls, settings: Settings) -> "Figures":
        return cls(settings.length, settings.angle, settings.decimal)

    def number(self, value: float, digits: int) -> str:
        """Return a number with so many digits after the decimal sign."""
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self.decimal == "comma" else text

    def length(self, value: float, digits: int = 2, per: str = "", small: bool = False) -> str:
        """Return metres, with `digits` decimals in m; per: such as "/s"; small: best read in mm."""
        if self.length_unit == "mm" or (self.length_unit == "as_fits" and small):
            return f"{self.number(1000 * value, max(digits - 3, 0))} mm{per}"
        return f"{self.number(value, max(digits, 3) if small else digits)} m{per}"

    def span(self, low: float, high: float) -> str:
        """Return "-0.60 … 0.60 m"."""
        scale, digits, unit = (1000, 0, "mm") if self.length_unit == "mm" else (1, 2, "m")
        return f"{self.number(scale * low, digits)} … {self.number(scale * high, digits)} {unit}"

    def angle(self, value: float, digits: int = 1, per: str = "") -> str:
        """Return radians, with `digits` decimals in degrees."""
        if self.angle_unit == "rad":
            return f"{self.number(value, digits + 2)} rad{per}"
        return f"{self.number(float(np.degrees(value)), digits)}{' ' if per else ''}°{per}"
