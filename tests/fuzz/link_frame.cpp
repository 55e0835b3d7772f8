// SPDX-License-Identifier: Apache-2.0
// What a peer sends: any bytes are either refused or a frame that is written as
// the same bytes; events in it are in order and within their range, or can be
// appended; a channel that is given them neither fails nor comes up.
#include "actors/cluster/frame.hpp"
#include "actors/cluster/link_channel.hpp"
#include "actors/cluster/relayed_append.hpp"
#include "tests/fuzz/check.hpp"

using namespace eventweft;

namespace {

struct nowhere final : link::channel_port {
  void send(std::string) override {}
  void up(const link::hello&, uint32_t) override { ++ups; }
  void down(const std::string&, bool) override { ++downs; }
  void take(log_range_ptr) override {}
  void reaches(seq_t) override {}
  void changed(const control_event&) override {}
  void replied(link::reply_item) override {}
  void asked(link::append_item) override {}
  void answered(link::appended_item) override {}
  void lost() override {}
  void interested(bool) override {}
  void round_trip(std::chrono::nanoseconds) override {}
  void skipped(size_t) override {}
  int ups = 0;
  int downs = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes{as_text(data, size)};
  const auto frame = link::decode(bytes);
  if (frame) {
    EVENTWEFT_CHECK(link::encode(*frame) == bytes);
    const auto* d = std::get_if<link::data>(&*frame);
    if (d) {
      if (const auto* events = std::get_if<link::events_item>(&d->item))
        if (const auto range = link::range_of(*events)) {
          auto last = (*range)->first - 1;
          for (const auto& ev : (*range)->events) {
            EVENTWEFT_CHECK(ev->seq > last);
            last = ev->seq;
          }
          EVENTWEFT_CHECK(last <= (*range)->last);
        }
      if (const auto* append = std::get_if<link::append_item>(&d->item))
        if (const auto events = link::events_of(append->events)) {
          // Numbers can be written in more than one way, but ours is one.
          const auto text = link::events_text(*events);
          const auto again = link::events_of(text);
          EVENTWEFT_CHECK(again && link::events_text(*again) == text);
          for (const auto& ev : *events)
            EVENTWEFT_CHECK(!ev->id.is_nil() && ev->seq == 0);
        }
    }
  } else {
    EVENTWEFT_CHECK(!frame.error().message.empty());
  }
  nowhere port;
  const link::no_identity self;
  link::channel_options options;
  options.me.node = "b";
  link::channel one{options, self, port, std::string(link::nonce_bytes, 'n'),
                    std::chrono::seconds{1}};
  one.receive(bytes, std::chrono::seconds{1});
  one.receive(bytes, std::chrono::seconds{1});
  EVENTWEFT_CHECK(port.ups == 0 && port.downs <= 1);
  return 0;
}
