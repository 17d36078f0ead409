"""What is measured of a window: pure functions of its profile and the reference's, without judgement."""
