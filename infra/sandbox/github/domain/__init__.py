"""What happens in the stand-in, whoever asks for it: the API, the page or a push."""
