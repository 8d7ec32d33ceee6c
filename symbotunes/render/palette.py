"""The colors that tell series apart, in all charts and piano rolls."""

# Okabe and Ito's blue and vermilion first, which people with color blindness can distinguish; the
# others are theirs too, but for a darker yellow that stands out from white.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#56b4e9")
NEW = COLORS[1]  # what a model wrote into music that was given
