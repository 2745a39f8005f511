"""A rig whose streams cannot fit through their cables says so before anything is recorded."""

import pytest

from hardware.usb_budget import StreamLoad, link_class, stream_mbps, usb_budget


def d435(name: str, bus: str = "2", link: str = "USB 3.2") -> StreamLoad:
    return StreamLoad(name, bus, link, 30.0, (1280, 720))


def test_a_720p_picture_at_30_takes_442_megabits() -> None:
    assert stream_mbps(d435("left")) == pytest.approx(442.4, abs=0.1)
    assert stream_mbps(StreamLoad("force", "1", "USB 2", 30.0)) < 1


def test_the_whole_gripper_fits_on_one_usb_3_controller() -> None:
    fisheye = StreamLoad("gripper", "2", "USB 3", 30.0, (1024, 1024), "raw8")
    (bus,) = usb_budget([d435("left"), d435("right"), fisheye, StreamLoad("pose", "2", "USB 3.2", 30.0)])
    assert bus.verdict == "fits"
    assert bus.streams == ("left", "right", "gripper", "pose")
    assert "of 3200 Mb/s (USB 3, bus 2): fits" in bus.text


def test_a_camera_on_usb_2_is_told_where_to_go() -> None:
    fits, bad = usb_budget([d435("left", "2"), d435("right", "1", "USB 2.1")])
    assert (fits.verdict, bad.verdict) == ("fits", "too much")
    assert "right need 442 of 280 Mb/s" in bad.text
    assert bad.text.endswith("right: put it on a USB 3 port")


def test_one_slow_link_makes_a_bus_slow_and_nearly_full_is_tight() -> None:
    cameras = [StreamLoad(f"c{k}", "2", "USB 3", 30.0, (1280, 720)) for k in range(6)]
    assert usb_budget(cameras)[0].verdict == "tight"
    assert usb_budget([*cameras, d435("more")])[0].verdict == "tight"
    assert usb_budget([*cameras, *cameras])[0].text.endswith("c0: put it on another controller")


def test_a_link_that_nobody_knows_is_no_promise() -> None:
    (bus,) = usb_budget([StreamLoad("webcam", "", "", 30.0, (640, 480))])
    assert bus.verdict == "unknown"
    assert [link_class(link) for link in ("USB 3.2", "USB 2.1", "GigE", "serial")] == ["USB 3", "USB 2", "GigE", ""]


def test_a_format_that_nobody_knows_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"c: pixel format 'h265'; valid: yuyv422, nv12"):
        stream_mbps(StreamLoad("c", "1", "USB 3", 30.0, (64, 48), "h265"))
