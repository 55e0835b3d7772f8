// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "net/outgoing/queue_url.hpp"

#include <memory>

namespace eventweft::outgoing {

/// Publishes to JetStream subjects, `nats://HOST:PORT/SUBJECT`: a 200 once the
/// server has the message in a stream. `webhook-id` goes along as
/// `Nats-Msg-Id`, so that the server drops what it has already; with the
/// `replay_header` behind it, so that a replay is no repeat. One connection a
/// server, made when it is first needed and made again when it is lost; what
/// was on its way when it was closed for good has failed. Has one thread of its
/// own.
std::unique_ptr<poster> make_nats_poster(queue_access access = {});

} // namespace eventweft::outgoing
