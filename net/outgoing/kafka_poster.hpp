// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "net/outgoing/queue_url.hpp"

#include <memory>

namespace eventweft::outgoing {

/// Produces to Kafka topics, `kafka://HOST:PORT/TOPIC`, keyed by the header
/// `eventweft-key`: a 200 once all in-sync replicas have the message. One
/// idempotent producer a server, made when it is first needed. Has one thread
/// of its own.
std::unique_ptr<poster> make_kafka_poster(queue_access access = {});

} // namespace eventweft::outgoing
