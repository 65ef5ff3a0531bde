"""Long drills, a short form of each of which is in the suite."""

import pytest

pytest.register_assert_rewrite("tests.drills.processes")
