"""What a step tells GitHub Actions."""

from action.files import add_summary, command_value, set_outputs


def test_an_output_stays_on_its_line(tmp_path):
    """A value with a line break cannot become an output of its own; nothing is written as nothing."""
    file = tmp_path / "output"
    set_outputs(file, {"decision": "pass\nincident=1", "ttd": None})
    set_outputs(file, {"ttr": 7})
    assert file.read_text() == "decision=pass incident=1\nttd=\nttr=7\n"


def test_the_summary_is_appended_and_cut_to_what_github_takes(tmp_path):
    """GitHub drops a summary that is longer than a mebibyte; a cut may not leave half a character."""
    file = tmp_path / "summary"
    add_summary(file, "# One")
    add_summary(file, "ü" * 1024 * 1024)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# One\n\nüü")
    assert len(text.encode()) <= 1024 * 1024 + len("# One\n\n")


def test_without_files_nothing_is_written():
    """Outside of a runner there are none."""
    set_outputs(None, {"a": 1})
    add_summary(None, "text")


def test_a_workflow_command_cannot_be_ended_by_its_text():
    """`%`, carriage return and line feed are encoded as GitHub decodes them."""
    assert command_value("50 %\r\n::set-output") == "50 %25%0D%0A::set-output"
