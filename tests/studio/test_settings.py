"""Other machines do not reach the studio unless the user says so."""

import pytest

from symbotunes.errors import UserError
from symbotunes.studio.settings import StudioSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_alone_is_served_without_more_ado(host):
    assert StudioSettings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "mymachine", ""])
def test_other_interfaces_have_to_be_allowed(host):
    with pytest.raises(UserError, match="play.remote=true"):
        StudioSettings(host=host)
    assert host in StudioSettings(host=host, remote=True).names


@pytest.mark.parametrize("port", [-1, 65536, "80", True, 8000.0])
def test_a_port_is_a_number_that_exists(port):
    with pytest.raises(UserError, match="play.port"):
        StudioSettings(port=port)


def test_models_are_a_list():
    with pytest.raises(UserError, match="play.models"):
        StudioSettings(models="pretrained/folk_rnn")
