"""Write down what was seen so that someone else can check it."""
