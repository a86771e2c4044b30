"""A hub made of folders, for tests without a network."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class FolderHub:
    """What of `huggingface_hub` is used, on a folder; commits are hashes of what is there."""

    def __init__(self, root: Path):
        self.root, self.down, self.private, self.downloads = root, None, None, 0

    def _check(self) -> None:
        if self.down is not None:
            raise self.down

    def repo_exists(self, repo: str, repo_type: str) -> bool:
        self._check()
        return (self.root / repo).is_dir()

    def file_exists(self, repo: str, name: str, repo_type: str) -> bool:
        return (self.root / repo / name).is_file()

    def create_repo(self, repo: str, repo_type: str, private: bool) -> None:
        assert repo_type == "dataset"
        self.private = private
        (self.root / repo).mkdir(parents=True)

    def upload_folder(self, repo_id, repo_type, folder_path, commit_message, delete_patterns) -> None:
        for pattern in delete_patterns:
            for path in (self.root / repo_id).glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)

    def dataset_info(self, repo: str, revision: str, timeout: float):
        self._check()
        digest = hashlib.sha1(json.dumps(sorted(map(str, contents(self.root / repo).items()))).encode()).hexdigest()
        return type("Info", (), {"sha": digest})

    def snapshot_download(self, repo, repo_type, revision, local_dir, allow_patterns) -> str:
        self._check()
        self.downloads += 1
        shutil.copytree(self.root / repo, local_dir, dirs_exist_ok=True, symlinks=True)
        return local_dir
