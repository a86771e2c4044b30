"""The learned segmenters against direct calls of the packages that they wrap."""

from __future__ import annotations

import hashlib
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from rses.backbones.hub import folder_digest
from rses.errors import InputError, WeightsError
from rses.suites.segment import Prompt, get_segmenter
from tests.helpers.refusals import refused

BOX = Prompt(box=(6, 5, 30, 25))
CLICK = Prompt(points=((20.0, 12.0),), labels=(True,))
CLICKS = Prompt(points=((20.0, 12.0), (3.0, 4.0)), labels=(True, False))
PROMPTS = [BOX, CLICK, CLICKS]


def test_segment_anything_equals_the_packages_predictor(sam_file, pictures):
    from segment_anything import SamPredictor

    segmenter = get_segmenter("segment-anything", str(sam_file), "cpu")
    found = segmenter.segment(pictures, PROMPTS)
    predictor = SamPredictor(segmenter._sam)
    for image, prompt, ours in zip(pictures, PROMPTS, found, strict=True):
        predictor.set_image(image)
        masks, scores, _ = predictor.predict(
            point_coords=np.array(prompt.points) if prompt.points else None,
            point_labels=np.array(prompt.labels, int) if prompt.points else None,
            box=np.array(prompt.box) if prompt.box else None,
            multimask_output=prompt is CLICK,
        )
        assert len(masks) == (3 if prompt is CLICK else 1)
        best = scores.argmax()
        assert ours.mask.shape == image.shape[:2]
        assert (ours.mask != masks[best]).mean() < 0.01
        assert ours.score == pytest.approx(float(scores[best]), abs=1e-5)
    assert any(0 < entry.mask.mean() < 1 for entry in found)
    assert segmenter.facts.weights_sha256 == hashlib.sha256(sam_file.read_bytes()).hexdigest()
    assert segmenter.facts.weights == "tiny.pth"
    assert segmenter.facts.package == "segment-anything 1.0"


@pytest.mark.parametrize("name", ["sam", "sam2"])
def test_transformers_equals_a_direct_call(name, request, pictures):
    import transformers

    folder = request.getfixturevalue(f"{name}_folder")
    segmenter = get_segmenter(name, str(folder), "cpu")
    found = segmenter.segment(pictures, PROMPTS)
    kind = {"sam": "Sam", "sam2": "Sam2"}[name]
    model = getattr(transformers, f"{kind}Model").from_pretrained(folder).eval()
    processor = getattr(transformers, f"{kind}Processor").from_pretrained(folder)
    for image, prompt, ours in zip(pictures, PROMPTS, found, strict=True):
        asked = {"input_boxes": [[list(map(float, prompt.box))]]} if prompt.box else {
            "input_points": [[[list(point) for point in prompt.points]]],
            "input_labels": [[[int(label) for label in prompt.labels]]],
        }  # fmt: skip
        inputs = processor(images=Image.fromarray(image), return_tensors="pt", **asked)
        sizes = [inputs.pop(key) for key in ("original_sizes", "reshaped_input_sizes") if key in inputs]
        with torch.no_grad():
            outputs = model(**inputs, multimask_output=prompt is CLICK)
        masks = processor.image_processor.post_process_masks(outputs.pred_masks, *sizes)[0][0]
        best = int(outputs.iou_scores[0, 0].argmax())
        assert ours.mask.shape == image.shape[:2]
        assert (ours.mask != masks[best].numpy()).mean() < 0.01
        assert ours.score == pytest.approx(float(outputs.iou_scores[0, 0, best]), abs=1e-5)
    assert any(0 < entry.mask.mean() < 1 for entry in found)
    assert segmenter.facts.weights_sha256 == folder_digest(folder)


@pytest.mark.parametrize("name", ["segment-anything", "sam", "sam2"])
def test_a_batch_gives_what_its_pictures_give_alone(name, request, pictures):
    fixture = {"segment-anything": "sam_file"}.get(name, f"{name}_folder")
    segmenter = get_segmenter(name, str(request.getfixturevalue(fixture)), "cpu")
    together = segmenter.segment(pictures, [BOX] * 3)
    for image, entry in zip(pictures, together, strict=True):
        alone = segmenter.segment([image], [BOX])[0]
        assert (alone.mask != entry.mask).mean() < 0.01
        assert entry.score == pytest.approx(alone.score, abs=1e-5)


def test_weights_of_another_model_are_refused(sam_folder, sam2_folder, tmp_path):
    with refused(WeightsError, "wrong-weights"):
        get_segmenter("sam2", str(sam_folder), "cpu")
    with refused(WeightsError, "wrong-weights"):
        get_segmenter("sam", str(sam2_folder), "cpu")
    with refused(WeightsError, "wrong-weights"):
        get_segmenter("sam", str(tmp_path), "cpu")


def test_weights_with_a_gap_are_refused(sam_folder, tmp_path):
    folder = tmp_path / "gap"
    shutil.copytree(sam_folder, folder)
    state = load_file(folder / "model.safetensors")
    del state["mask_decoder.iou_token.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with refused(WeightsError, "damaged"):
        get_segmenter("sam", str(folder), "cpu")


def test_missing_weights_say_where_they_are(monkeypatch):
    import transformers

    def offline(source, **_):
        raise OSError(f"cannot reach the hub for {source}")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", offline)
    with pytest.raises(WeightsError, match=r"needs a checkpoint.*https://dl\.fbaipublicfiles\.com.*Apache-2\.0"):
        get_segmenter("segment-anything", None, "cpu")
    with pytest.raises(WeightsError, match=r"(?s)cannot load the weights no-such/sam.*Apache-2\.0"):
        get_segmenter("sam", "no-such/sam", "cpu")


def test_weights_of_the_hub_are_identified_by_commit_and_digest(sam_folder, tmp_path, monkeypatch):
    import huggingface_hub
    import transformers

    snapshot = tmp_path / "snapshots" / "c0ffee"
    shutil.copytree(sam_folder, snapshot)
    for part in ("AutoConfig", "SamModel", "SamProcessor"):
        whole = getattr(transformers, part).from_pretrained
        monkeypatch.setattr(
            getattr(transformers, part), "from_pretrained", lambda source, whole=whole, **more: whole(snapshot, **more)
        )
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda source, name, revision: str(snapshot / name))
    facts = get_segmenter("sam", None, "cpu").facts
    assert (facts.weights, facts.revision) == ("facebook/sam-vit-base", "c0ffee")
    assert facts.weights_sha256 == folder_digest(sam_folder)


def test_names():
    with pytest.raises(InputError, match='Did you mean "classical"'):
        get_segmenter("clasical")
    with refused(InputError, "exclusive"):
        get_segmenter("classical", "x.pth")
