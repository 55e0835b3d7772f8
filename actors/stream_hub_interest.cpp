// SPDX-License-Identifier: Apache-2.0
// Whether anybody reads live events here. Where nobody does, the other nodes
// send none, and the hub only follows the log's end.
#include "actors/caf_compat.hpp"
#include "actors/stream_hub_state.hpp"

#include <utility>

namespace eventweft {

void stream_hub_state::begin_interest() {
  ++comings_;
  if (std::exchange(interested_, true))
    return;
  ctx_.others->wants_events(true);
  watch_interest();
}

void stream_hub_state::watch_interest() {
  run_after(self_, options_.interest_pause, [this, known = comings_] {
    if (comings_ != known || !book_->lanes.empty() || !early_joins_.empty()) {
      watch_interest();
      return;
    }
    interested_ = false;
    ctx_.others->wants_events(false);
  });
}

// Whatever is told of is in the log with all that is before it. Who comes later
// and wants some of that is before the ring, and reads it from the store.
void stream_hub_state::skip_to(seq_t last) {
  if (last <= ring_.head())
    return;
  ring_.reset(last);
  matches_.trim(last);
  names_unsure_ = true;
  ctx_.figures->set_head(last);
  take_early();
}

void stream_hub_state::serve_joins() {
  if (!started_ || naming_ || early_joins_.empty())
    return;
  if (!std::exchange(names_unsure_, false)) {
    for (auto& [request, promise] : std::exchange(early_joins_, {}))
      promise.deliver(join(std::move(request)));
    return;
  }
  naming_ = true;
  const auto failed = [this] {
    names_unsure_ = true;
    run_after(self_, lane_pauses_.next(*ctx_.random), [this] {
      naming_ = false;
      serve_joins();
    });
  };
  auto store = ctx_.peers->reader.get();
  if (!store) {
    failed();
    return;
  }
  with_names(
      store,
      [this] {
        naming_ = false;
        lane_pauses_.reset();
        serve_joins();
      },
      failed);
}

} // namespace eventweft
