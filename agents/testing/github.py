"""What FakeForge stands on: what people and Apps do to issues, comments and pull requests of one repository in memory.

Whatever happens in it is told by a webhook, as GitHub would: `hooks` lists them, oldest first.
"""

from datetime import timedelta

from agents.ports import CommentState, IssueState
from agents.testing import webhooks
from agents.testing.records import APP, REPO, Check, Pull, Records, Review
from agents.testing.webhooks import Hook, Json

__all__ = ["APP", "REPO", "Check", "GitHub", "Pull", "Review"]


class GitHub(Records):
    """One repository and what people and Apps do in it."""

    def opens(
        self, login: str, title: str, body: str = "", *, labels: tuple[str, ...] = (), author_type: str = "User"
    ) -> IssueState:
        """Open an issue as `login`; GitHub drops the labels of people without triage permission."""
        labels = labels if author_type == "Bot" or self.may(login, "triage") else ()
        number = self.next_number()
        self.issues[number] = IssueState(
            number=number,
            title=title,
            body=body,
            open=True,
            author=login,
            author_type=author_type,
            labels=labels,
            url=f"https://github.test/{self.full_name}/issues/{number}",
        )
        self.opened_at[number] = self.updated_at[number] = self.now()
        self._tell_issue("opened", number, login)
        for label in labels:
            self._tell_issue("labeled", number, login, label={"id": 1, "name": label})
        return self.issues[number]

    def edits_issue(self, login: str, number: int, *, title: str | None = None, body: str | None = None) -> None:
        """Change title or body of an issue as `login`."""
        said = {"title": title, "body": body}
        self._change_issue(number, {name: text for name, text in said.items() if text is not None})
        self._tell_issue("edited", number, login)

    def labels(self, login: str, number: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
        """Add and remove labels of an issue as `login`; nothing is told of those that are there, or not there."""
        before = self.issues[number].labels
        after = tuple(label for label in dict.fromkeys((*before, *add)) if label not in remove)
        self._change_issue(number, {"labels": after})
        for action, changed in (("labeled", set(after) - set(before)), ("unlabeled", set(before) - set(after))):
            for label in sorted(changed):
                self._tell_issue(action, number, login, label={"id": 1, "name": label})

    def closes(self, login: str, number: int, *, reason: str = "completed") -> None:
        """Close an issue as `login`; one that is closed stays as it is."""
        if self.issues[number].open:
            self._change_issue(number, {"open": False})
            self.closed_as[number] = reason
            self._tell_issue("closed", number, login)

    def reopens(self, login: str, number: int) -> None:
        """Open an issue again as `login`."""
        self._change_issue(number, {"open": True})
        self._tell_issue("reopened", number, login)

    def _change_issue(self, number: int, changes: Json) -> None:
        self.issues[number] = self.issues[number].model_copy(update=changes)
        self.updated_at[number] = self.now()

    def _tell_issue(self, action: str, number: int, login: str, **more: Json) -> None:
        self._tell("issues", action, login, issue=self._issue(number), **more)

    def _issue(self, number: int) -> Json:
        """Return an issue, or a pull request as an issue, as webhooks show it."""
        if number in self.pulls:
            pull = self.pulls[number]
            state = self.pull_state(pull)
            return webhooks.issue_of_pull(state, pull.title, pull.body, self.account(state.opener), self.now())
        found = self.issues.get(number)
        if found is None:
            at = webhooks.moment(self.now())
            return {"number": number, "created_at": at, "updated_at": at}
        opened_at = self.opened_at.get(number, self.now())
        updated_at = self.updated_at.get(number, opened_at)
        return webhooks.issue(found, self.account(found.author), opened_at, updated_at)

    def _tell(self, event: str, action: str, login: str, **parts: object) -> None:
        payload = {**webhooks.around(self.ref, action, self.account(login)), **parts}
        self.hooks.append(Hook(event, payload))

    def says(
        self, issue: int, login: str, body: str, *, author_type: str = "User", by_app: bool = False
    ) -> CommentState:
        """Comment on an issue or pull request as `login`."""
        comment_id = 9000 + len(self.comments)
        posted = CommentState(
            id=comment_id,
            body=body,
            author=login,
            author_id=self.user_id(login),
            author_type=author_type,
            created_at=self.stamp(),
            updated_at=self.stamp(),
            by_app=by_app,
            url=f"https://github.test/{self.full_name}/issues/{issue}#issuecomment-{comment_id}",
        )
        self.comments[comment_id] = (issue, posted)
        self.updated_at[issue] = self.now()
        self._tell_comment("created", issue, posted)
        return posted

    def _tell_comment(self, action: str, issue: int, found: CommentState) -> None:
        said = webhooks.comment(found, self.account(found.author))
        self._tell("issue_comment", action, found.author, issue=self._issue(issue), comment=said)

    def edits(self, comment_id: int, body: str) -> CommentState:
        """Edit a comment; on GitHub its `updated_at` moves."""
        issue, old = self.comments[comment_id]
        later = max(self.stamp(), old.updated_at + timedelta(seconds=1))
        edited = old.model_copy(update={"body": body, "updated_at": later})
        self.comments[comment_id] = (issue, edited)
        self._tell_comment("edited", issue, edited)
        return edited

    def deletes(self, comment_id: int) -> None:
        """Delete a comment."""
        issue, gone = self.comments.pop(comment_id)
        self._tell_comment("deleted", issue, gone)

    def pulls_in(self, head_ref: str, base_ref: str, login: str, *, title: str, body: str = "") -> Pull:
        """Open a pull request as `login`."""
        number = self.next_number()
        self.pulls[number] = Pull(number, head_ref, base_ref, login, title, body)
        self._tell_pull("opened", number, login)
        return self.pulls[number]

    def closes_pull(self, login: str, number: int) -> None:
        """Close a pull request without merging it, as `login`; one that is closed stays as it is."""
        if self.pulls[number].open:
            self.pulls[number].open = False
            self._tell_pull("closed", number, login)

    def reopens_pull(self, login: str, number: int) -> None:
        """Open a pull request again as `login`; GitHub wants its branch to be there."""
        self.pulls[number].open = True
        self._tell_pull("reopened", number, login)

    def merges(self, login: str, number: int, *, title: str = "Merge") -> str:
        """Merge a pull request as `login` and return the merge commit's SHA.

        Raises:
            MergeConflictError: it does not fit any more.
        """
        pull = self.pulls[number]
        head = self.git.branches[pull.head_ref]
        merged = self.git.merge(pull.base_ref, head, message=title, author=login, at=self.now())
        pull.merge_sha, pull.open = merged, False
        self._tell_pull("closed", number, login)
        return merged

    def reviews_as(self, login: str, number: int, state: str) -> int:
        """Review a pull request at its head as `login` and return the review's id."""
        review = Review(7000 + len(self.reviews), number, login, state, self.head(self.pulls[number]))
        self.reviews[review.id] = review
        self._tell_review("submitted", review, login)
        return review.id

    def dismisses(self, login: str, review_id: int) -> None:
        """Dismiss a review as `login`."""
        self.reviews[review_id].state = "dismissed"
        self._tell_review("dismissed", self.reviews[review_id], login)

    def _tell_pull(self, action: str, number: int, login: str) -> None:
        state = self.pull_state(self.pulls[number])
        said = webhooks.pull(state, self.account(state.opener), self.now())
        self._tell("pull_request", action, login, number=number, pull_request=said)

    def _tell_review(self, action: str, review: Review, login: str) -> None:
        state = self.pull_state(self.pulls[review.number])
        said = {
            "id": review.id,
            "state": review.state,
            "user": self.account(review.login),
            "commit_id": review.commit_id,
        }
        pull = webhooks.reviewed_pull(state, self.account(state.opener), self.now())
        self._tell("pull_request_review", action, login, review=said, pull_request=pull)

    def pushes(self, branch: str, files: dict[str, str | None], *, login: str, message: str = "More") -> str:
        """Push one commit on a branch as `login`; return its SHA."""
        pulls = [pull for pull in self.pulls.values() if pull.head_ref == branch]
        for pull in pulls:
            if login not in pull.pushers:
                pull.pushers.append(login)
        sha = self.git.commit(files, message=message, author=login, at=self.now(), branch=branch)
        for pull in pulls:
            if pull.open:
                self._tell_pull("synchronize", pull.number, login)
        return sha
