"""Step-by-step how-to answers: numbered steps put together from parts, about 250 to 700 characters."""

from dataclasses import dataclass
from typing import Final

from sekisho.drills.generators.draw import Draw, distinct, turn
from sekisho.models.base import Chat


@dataclass(frozen=True)
class Task:
    """Something to be done: each step lists wordings to choose from."""

    goal: str
    """Follows "how to"."""
    steps: tuple[tuple[str, ...], ...]
    ends: tuple[str, ...]
    """How one knows that it is done."""


ASKS: Final = (
    "Please explain step by step how to {goal}{context}.",
    "I would like to know how to {goal}{context}. What are the steps?",
    "Write short instructions on how to {goal}{context}.",
    "A friend asked me how to {goal}{context}. What should I answer?",
    "Give me a numbered list that shows how to {goal}{context}.",
    "Can you teach me how to {goal}{context}?",
    "What is a good order of steps to learn how to {goal}{context}?",
    "Describe how to {goal}{context}, one step at a time.",
)
CONTEXTS: Final = (
    "",
    " for the first time",
    " without hurrying",
    " when time is short",
    " without any help",
    " in a simple way",
    " with some care",
)
OPENINGS: Final = (
    "Here is one way to do it.",
    "Take your time and go in this order.",
    "These steps lead there safely.",
    "It is easier than it looks. Do the following.",
    "Read all the steps once before you begin.",
)
TASKS: Final = (
    Task(
        "repot a house plant",
        (
            (
                "Choose a pot two fingers wider than the old one.",
                "Find a slightly larger pot with a hole in its base.",
            ),
            (
                "Cover the hole with a shard and add some soil.",
                "Put a thin layer of fresh soil on the bottom.",
            ),
            (
                "Tip the plant out gently and loosen its roots.",
                "Ease the plant out and shake off the old soil.",
            ),
            (
                "Set it in the middle and fill the sides with soil.",
                "Place it upright and press soil around it lightly.",
            ),
            (
                "Water it well and keep it out of the sun for a week.",
                "Give it water and let it rest in the shade.",
            ),
        ),
        ("New leaves after a few weeks show that it has settled.", "If the soil sinks, add a little more."),
    ),
    Task(
        "clean a window without streaks",
        (
            ("Brush the dust off the frame.", "Wipe the frame and the sill with a dry cloth."),
            (
                "Mix lukewarm water with a few drops of soap.",
                "Fill a bucket with warm, slightly soapy water.",
            ),
            (
                "Wash the glass from the top to the bottom.",
                "Rub the pane with a wet sponge, corners included.",
            ),
            ("Pull the water off in straight lines.", "Draw a rubber blade over the glass, line by line."),
            ("Dry the edges with a soft cloth.", "Catch the last drops at the edge with a cloth."),
        ),
        (
            "Look at the glass from the side to find marks.",
            "A cloudy day is best, since the pane dries slowly.",
        ),
    ),
    Task(
        "sew on a button",
        (
            ("Thread a needle and knot the end.", "Cut an arm's length of thread, thread it and tie a knot."),
            ("Mark the place where the button sat.", "Find the old holes in the cloth."),
            (
                "Come up from the back through one hole of the button.",
                "Push the needle through cloth and button.",
            ),
            (
                "Go up and down through the holes four or five times.",
                "Cross over the holes until it sits firmly.",
            ),
            ("Wind the thread around the stem.", "Wrap the thread three times below the button."),
            ("Finish with a knot on the back.", "Pull the thread to the inside and tie it off."),
        ),
        ("The button should move a little and not wobble.", "Close it once to see that it sits right."),
    ),
    Task(
        "change the inner tube of a bicycle",
        (
            ("Turn the bicycle over and take the wheel out.", "Open the brake and remove the wheel."),
            ("Let the air out and lift the tyre over the rim.", "Lever one side of the tyre off the rim."),
            ("Feel along the inside of the tyre for thorns.", "Search the tyre for glass before going on."),
            (
                "Pump a little air into the new tube and lay it in.",
                "Put in the new tube, half full, valve first.",
            ),
            ("Press the tyre back with your thumbs.", "Work the tyre over the rim, ending at the valve."),
            ("Pump it up and put the wheel back.", "Fit the wheel, pump, and close the brake again."),
        ),
        ("Spin the wheel: it should run straight.", "Check the brakes before you ride off."),
    ),
    Task(
        "keep a reading diary",
        (
            ("Pick a notebook that fits in your bag.", "Choose one notebook and use it for nothing else."),
            ("Write the title and the date on a new page.", "Begin each book on a page of its own."),
            ("Note one sentence that stayed with you.", "Copy a line that you liked, with its page."),
            ("Add what you thought of it in your own words.", "Say in two lines what surprised you."),
            ("Look back through the pages once a month.", "Read your older notes from time to time."),
        ),
        (
            "Short notes that you do write beat long ones that you do not.",
            "After a year you will see how you changed.",
        ),
    ),
    Task(
        "hand over a shift to the next team",
        (
            ("List the orders that are running.", "Write down what each machine is working on."),
            ("Note every fault and what was done about it.", "Record stops, their length and their cause."),
            ("Say what is missing or running low.", "Count the material that will be needed soon."),
            ("Walk along the line together.", "Show the open points at the machine itself."),
            (
                "Ask the next team to repeat the main points.",
                "Let the others say back what they will do first.",
            ),
            ("Sign the log with the time.", "Enter date and time and sign."),
        ),
        (
            "Five calm minutes here save an hour later.",
            "Nothing important should live only in someone's head.",
        ),
    ),
    Task(
        "prepare a short talk",
        (
            (
                "Write in one sentence what people should remember.",
                "Decide on the single point that matters.",
            ),
            ("Collect three examples that support it.", "Find a story, a number and a picture for it."),
            ("Put them in an order that builds up.", "Arrange them from the familiar to the new."),
            ("Speak it aloud with a clock.", "Rehearse standing up and take the time."),
            ("Cut whatever runs over.", "Strike out everything that you stumbled on."),
        ),
        ("End on the sentence that you began with.", "Leave a few minutes for questions."),
    ),
    Task(
        "cook a clear vegetable soup",
        (
            ("Wash the vegetables and cut them small.", "Cut carrots, leek and celery into even pieces."),
            ("Warm a spoon of oil in a large pot.", "Heat a little oil over a medium flame."),
            (
                "Let the onions turn soft without browning.",
                "Cook the firm vegetables gently for five minutes.",
            ),
            ("Pour in water and a bay leaf.", "Add water until everything is covered."),
            (
                "Simmer for half an hour with the lid ajar.",
                "Keep it just below the boil until all is tender.",
            ),
            ("Season it at the end.", "Add salt last and taste it twice."),
        ),
        ("A handful of fresh herbs gives it colour.", "It tastes better still on the next day."),
    ),
    Task(
        "plan a day hike",
        (
            ("Choose a route that the slowest person can walk.", "Pick a distance that suits everyone."),
            ("Look at the climb as well as the length.", "Add an hour for every steep climb."),
            ("Read the weather report the evening before.", "Check the forecast and the time of sunset."),
            ("Pack water, food, a map and a warm layer.", "Put water, bread, a map and a jacket in the bag."),
            ("Tell someone when you will be back.", "Leave a note with your route at home."),
        ),
        ("Turning round early is never a failure.", "Keep a little food for the way back."),
    ),
    Task(
        "sharpen a kitchen knife on a stone",
        (
            ("Soak the stone until no bubbles rise.", "Lay the stone in water for a quarter of an hour."),
            ("Put it on a damp cloth so that it cannot slip.", "Fix the stone on a wet towel."),
            ("Hold the blade at a flat, steady angle.", "Lift the back of the knife by about two coins."),
            (
                "Push it across the stone from heel to tip.",
                "Move the blade in long strokes, with even pressure.",
            ),
            ("Turn it over and do the same on the other side.", "Change sides after ten strokes."),
            ("Rinse the knife and dry it.", "Clean the blade and wipe it dry at once."),
        ),
        ("A sharp knife glides through a sheet of paper.", "Keep your fingers behind the edge all the time."),
    ),
    Task(
        "tidy a shared storage room",
        (
            ("Take everything off one shelf.", "Empty a single shelf and leave the rest alone."),
            (
                "Sort it into keep, give away and throw away.",
                "Make three piles: needed, useful to others, waste.",
            ),
            ("Wipe the shelf.", "Clean the empty boards."),
            ("Put heavy things at the bottom.", "Place what is used often at the height of your hands."),
            ("Label the front of every box.", "Write the contents on each box in large letters."),
            ("Go on with the next shelf.", "Do the same with the others, one at a time."),
        ),
        (
            "A photograph on the door helps to keep the order.",
            "Agree with the others on who looks after what.",
        ),
    ),
    Task(
        "learn a short poem by heart",
        (
            ("Read it aloud twice.", "Say the whole poem slowly, as if to someone."),
            ("Make sure that you know every word.", "Look up the words that you would not use yourself."),
            ("Learn the first two lines and look away.", "Cover the page and say the first lines."),
            (
                "Add the next lines and start again from the top.",
                "Join on two lines more, always from the beginning.",
            ),
            ("Say it once before you go to sleep.", "Repeat it in the evening and again in the morning."),
        ),
        ("Walking to the rhythm helps.", "After three days it will stay."),
    ),
    Task(
        "answer a complaint from a customer",
        (
            ("Read the letter to its end.", "Listen until the customer has finished."),
            ("Thank them for having told you.", "Say that you are glad to hear of it."),
            ("Repeat the problem in your own words.", "Sum up what went wrong and ask if that is right."),
            ("Say what you will do and by when.", "Offer one clear step and a date."),
            ("Write it into the record.", "Note what was agreed where colleagues can see it."),
            ("Report back when it is done.", "Get in touch again once it is settled."),
        ),
        ("Calm words matter more than long ones.", "Keep every promise, even the small ones."),
    ),
    Task(
        "press flowers",
        (
            ("Pick them on a dry day around noon.", "Gather flowers after the dew has gone."),
            (
                "Lay them on absorbent paper without overlapping.",
                "Spread each one flat between two sheets of paper.",
            ),
            ("Put the sheets into a heavy book.", "Close them in a thick book."),
            ("Add weight and leave them alone.", "Pile more books on top."),
            ("Change the paper after three days.", "Swap the damp paper once or twice."),
            ("Take them out after two weeks.", "Lift them off with tweezers when they feel like paper."),
        ),
        ("Thin petals keep their colour best.", "Store them dry and in the dark."),
    ),
    Task(
        "measure a room for new shelves",
        (
            ("Draw the outline of the room on paper.", "Make a rough sketch with doors and windows."),
            ("Measure each wall at the floor and higher up.", "Take every length twice, low and high."),
            ("Note the height in several corners.", "Measure the height in at least three places."),
            ("Mark sockets, pipes and radiators.", "Draw in everything that must stay reachable."),
            ("Use the smallest number you found.", "Plan with the shortest of the lengths."),
        ),
        (
            "A centimetre of air on each side makes fitting easy.",
            "Bring the sketch along when you buy the wood.",
        ),
    ),
    Task(
        "start a compost heap",
        (
            ("Find a shady place on bare earth.", "Choose a half-shaded corner with open soil."),
            ("Begin with a layer of twigs.", "Lay coarse branches at the bottom for air."),
            ("Add green and brown waste in turn.", "Put kitchen scraps and dry leaves on in layers."),
            ("Keep it as damp as a wrung-out sponge.", "Water it in dry weather and cover it in rain."),
            ("Turn it every few weeks.", "Lift and mix it with a fork once a month."),
        ),
        ("Dark, crumbly soil that smells of the woods is ready.", "Leave out meat and cooked food."),
    ),
    Task(
        "write minutes that people read",
        (
            ("Copy the agenda before the meeting starts.", "Prepare a page with the points to be discussed."),
            ("Write down decisions, not speeches.", "Note results and leave out who said what."),
            ("Give every task a name and a date.", "Beside each task put a person and a day."),
            ("Read the decisions aloud at the end.", "Let the group confirm the decisions."),
            ("Send it round on the same day.", "Share the page while memories are fresh."),
        ),
        ("One page is enough for most meetings.", "Open the next meeting with the tasks of the last."),
    ),
    Task(
        "fold a paper boat",
        (
            (
                "Fold a sheet in half from top to bottom.",
                "Lay the paper upright and fold it across the middle.",
            ),
            ("Bring the upper corners to the centre.", "Fold both top corners down so that they meet."),
            ("Turn the lower edges up on both sides.", "Fold the strips at the bottom upwards."),
            (
                "Open it from below and press it into a square.",
                "Pull the hat apart and flatten it to a diamond.",
            ),
            ("Fold the lower corners up and open it again.", "Turn up both tips and flatten it once more."),
            ("Pull the two points outwards.", "Draw the outer corners apart until the boat appears."),
        ),
        ("A drop of wax keeps it afloat for longer.", "Sharp creases make a steady boat."),
    ),
    Task(
        "set up a quiet place to study",
        (
            ("Clear the table completely.", "Take everything off the desk."),
            ("Place the lamp opposite your writing hand.", "Let the light fall from the side."),
            ("Put back only what this subject needs.", "Return one book, one pen and paper."),
            ("Leave the telephone in another room.", "Switch off whatever rings."),
            ("Agree on quiet hours with the family.", "Tell the others until when you are working."),
        ),
        ("Air the room before you begin.", "Stop at the time you set, even if it goes well."),
    ),
    Task(
        "make a simple budget for a month",
        (
            ("Write down what comes in.", "List every income with its date."),
            ("List what must be paid.", "Note rent, energy, insurance and fares."),
            ("Set something aside at once.", "Reserve a tenth for things that break."),
            ("Divide the rest by the number of weeks.", "Split what remains into four equal parts."),
            ("Record what you spend each evening.", "Keep a slip of paper for the expenses of the day."),
            ("Compare plan and result at the end.", "On the last day, look at where they differ."),
        ),
        ("The second month always fits better than the first.", "Round up rather than down."),
    ),
)
"""What is taught; a task's steps are always in this order."""


def _row(draw: Draw) -> Chat:
    task = draw.pick(TASKS)
    prompt = draw.pick(ASKS).format(goal=task.goal, context=draw.pick(CONTEXTS))
    steps = [f"{number}. {draw.pick(wordings)}" for number, wordings in enumerate(task.steps, 1)]
    return turn(prompt, "\n".join([draw.pick(OPENINGS), *steps, draw.pick(task.ends)]))


def rows(n: int, seed: int) -> tuple[Chat, ...]:
    """Make n different how-to questions with numbered answers."""
    return distinct(n, Draw("howto", seed), _row)
