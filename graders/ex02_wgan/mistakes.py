"""Known wrong answers of exercise 2, as overrides of the reference. Hints are questions, never the answer.

They stand in one module per topic beside this one; here they are gathered under their names.
"""

import wgan_extra_mistakes
import wgan_loss_mistakes
import wgan_mode_mistakes
import wgan_penalty_mistakes
import wgan_step_mistakes

from gdgrade.mistakes import collect

TOPICS = (
    wgan_loss_mistakes,
    wgan_penalty_mistakes,
    wgan_step_mistakes,
    wgan_mode_mistakes,
    wgan_extra_mistakes,
)

globals().update({entry.name: entry.function for topic in TOPICS for entry in collect(topic)})
