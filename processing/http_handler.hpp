// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "delivery/message.hpp"
#include "messages/outgoing.hpp"
#include "messages/time.hpp"
#include "processing/processor.hpp"

#include <memory>

namespace eventweft::processing {

/// Calls an endpoint for each event: the same request, signature and rules as
/// a webhook to a subscription. 2xx is done, 410 is to be given up at once,
/// anything else is a failed attempt; `Retry-After` is honoured. If `answers`,
/// the response's body and content type are the reply. `to.subscription_id`
/// and `to.timeout` are the processor's business.
async_handler make_http_handler(delivery::endpoint to, bool answers,
                                std::shared_ptr<outgoing::poster> poster,
                                std::shared_ptr<const clock> time);

} // namespace eventweft::processing
