// A question answers when "Check" is pressed: the feedback of the chosen option is shown, and read out, because
// it stands in an element with the role "status". Without this script all feedback stands in a box that opens.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const quiz of document.querySelectorAll("form.quiz")) {
    const answers = quiz.querySelector("details.quiz-answers");
    const feedback = [...answers.querySelectorAll(".quiz-feedback")];
    const show = (letter) => {
      for (const said of feedback) said.hidden = said.dataset.option !== letter;
      const shown = feedback.find((said) => !said.hidden);
      quiz.classList.toggle("quiz-is-right", Boolean(shown?.classList.contains("quiz-right")));
      quiz.classList.toggle("quiz-is-wrong", Boolean(shown?.classList.contains("quiz-wrong")));
    };

    quiz.classList.add("quiz-live");
    answers.open = true;
    show("");
    quiz.addEventListener("submit", (event) => {
      event.preventDefault();
      show(new FormData(quiz).get(quiz.id));
    });
    quiz.addEventListener("change", () => show("")); // another choice: what was said is no longer about it
  }
});
