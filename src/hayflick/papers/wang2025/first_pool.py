"""Twenty sentences of ours about one question: a first pool for those who have no texts at hand."""

QUERY = "What should the town do with its old bridge?"
TEXTS = (
    "The old bridge is the shortest way to school for half of the children in the town.",
    "An engineer found rust in two of the four arches and wants the lorries kept off it.",
    "A new bridge would cost as much as the town spends on its roads in nine years.",
    "Cyclists like the old bridge because cars are slow there and everyone can see the river.",
    "The baker at the far end says that she would lose her morning customers without it.",
    "Before the war there was a ferry, and some people would rather have that again.",
    "Painting the iron every three years would stop the rust, but nobody has budgeted for it.",
    "Fishermen stand under the third arch because the water there is deep and cold.",
    "The fire brigade needs eleven minutes more when it has to go round by the motorway.",
    "A photograph of the bridge in fog is on every postcard that the town sells.",
    "If only walkers could use it, the arches would carry them for another hundred years.",
    "The county offers to pay half of a repair, provided that work begins before autumn.",
    "Swallows nest in the masonry, and the law protects them from April to August.",
    "Young people meet on the bridge in the evening since there is no other place to sit.",
    "A tunnel was proposed once and given up when the ground turned out to be sand.",
    "The mayor promised a vote on the bridge and has put it off for the second time.",
    "Every flood of the last century went over the road but never over the bridge.",
    "Tearing it down would take a summer and leave stones enough for a market square.",
    "Tolls would bring in little, because most of those who cross live three streets away.",
    "Whatever is decided, the water main under the pavement has to be moved first.",
)
