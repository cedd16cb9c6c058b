import numpy as np
import pytest

from sketch2paint.evaluation.directions import boundary, by_chance, conditional, principal, sefa


def test_sefa_is_the_eigenvectors_of_the_stacked_weights():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(7, 3)), rng.normal(size=(4, 3))
    found = sefa([first, second])
    gram = first.T @ first + second.T @ second
    values = [axis @ gram @ axis for axis in found]
    assert values == sorted(values, reverse=True)
    for axis, value in zip(found, values, strict=True):
        np.testing.assert_allclose(gram @ axis, value * axis, atol=1e-9)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)


def test_sefa_of_a_small_matrix_by_hand():
    # Columns (3, 0) and (0, 1): the first number of a code moves the layer three times as much.
    np.testing.assert_allclose(sefa([np.diag([3.0, 1.0])]), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(sefa([np.diag([1.0, -3.0])]), np.eye(2)[::-1], atol=1e-12)


def test_principal_axes_are_those_of_the_covariance():
    rng = np.random.default_rng(1)
    axis = np.array([0.8, 0.6, 0.0])
    codes = 5 + rng.normal(size=(2000, 1)) * 3 * axis + rng.normal(size=(2000, 3)) * 0.1
    found = principal(codes)
    assert abs(found[0] @ axis) > 0.999
    covariance = np.cov(codes.T)
    np.testing.assert_allclose(
        covariance @ found[0], (found[0] @ covariance @ found[0]) * found[0], atol=1e-9
    )


def test_a_planted_direction_is_found_by_the_boundary():
    rng = np.random.default_rng(2)
    planted = np.array([0.6, 0.0, -0.8, 0.0])
    codes = rng.normal(size=(3000, 4)) @ np.diag([1, 3, 0.5, 1])  # whatever the codes' spread
    scores = 2 + 5 * codes @ planted + rng.normal(size=3000)
    assert boundary(codes, scores) @ planted > 0.999
    assert boundary(codes, np.tanh(scores)) @ planted > 0.97
    np.testing.assert_array_equal(boundary(codes, np.ones(3000)), 0)


def test_conditional_directions_are_at_right_angles_to_the_held_normals():
    normals = by_chance(4, 9, np.random.default_rng(3))
    found = conditional(normals, held=3)
    across = found @ normals.T
    for number in range(4):
        assert across[number, number] > 0
        held = [other for other in range(3) if other != number]
        np.testing.assert_allclose(across[number, held], 0, atol=1e-12)
    assert abs(across[0, 3]) > 1e-3  # which nobody holds
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)


def test_what_two_share_is_projected_out_by_hand():
    root = np.sqrt(0.5)
    found = conditional(np.array([[root, root], [0.0, 1.0]]), held=2)
    np.testing.assert_allclose(found, [[1, 0], [-root, root]], atol=1e-12)


def test_chance_is_seeded():
    draws = [by_chance(3, 5, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.allclose(draws[0], draws[2])
    assert np.linalg.norm(draws[0], axis=1) == pytest.approx(1)
