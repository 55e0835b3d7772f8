// SPDX-License-Identifier: Apache-2.0
// What a WebSocket client may say, in its messages and in its handshake's
// extensions: refused with a reason, or within its bounds.
#include "codec/json_text.hpp"
#include "net/client_message.hpp"
#include "net/deflate.hpp"
#include "tests/fuzz/check.hpp"

using namespace eventweft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text(data, size);
  const auto message = net::parse_client_message(text);
  if (message) {
    EVENTWEFT_CHECK(message->ack || message->credit || message->filter ||
                    message->pause || message->resume);
    EVENTWEFT_CHECK(!message->ack || *message->ack >= 0);
    EVENTWEFT_CHECK(!(message->pause && message->resume));
  } else {
    EVENTWEFT_CHECK(codec::is_utf8(message.error().message));
  }
  if (const auto terms = net::choose_deflate(text)) {
    EVENTWEFT_CHECK(terms->window != net::packing::none);
    EVENTWEFT_CHECK(terms->client_bits >= 9 && terms->client_bits <= 15);
    // What is agreed on is an offer that would be chosen again.
    const auto again = net::choose_deflate(terms->offer);
    EVENTWEFT_CHECK(again && again->window == terms->window &&
                    again->client_bits == terms->client_bits &&
                    again->offer == terms->offer);
  }
  return 0;
}
