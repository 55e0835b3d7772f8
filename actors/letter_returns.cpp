// SPDX-License-Identifier: Apache-2.0
#include "actors/letter_returns.hpp"

#include "actors/caf_compat.hpp"
#include "actors/retry_elsewhere.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"
#include "correlation/engine.hpp"

#include <string>
#include <utility>

namespace eventweft {

letter_returns::letter_returns(dead_letters_actor::pointer self,
                               const actor_context& ctx,
                               stored_letters& letters,
                               std::chrono::milliseconds timeout)
    : self_(self), ctx_(ctx), letters_(letters), timeout_(timeout) {}

/// Nodes may have different processors.
bool letter_returns::may_be_elsewhere(const error& why) const {
  return why.code == ec::not_owner ||
         (why.code == ec::not_found && ctx_.others->hears_replies());
}

void letter_returns::retry(const uuid& id, asked_by who, ended then) {
  letters_.find(id, [this, who, then](const expected<dead_letter>& found) {
    if (found)
      hand_back(*found, who, then);
    else
      then(fail(found.error()));
  });
}

void letter_returns::hand_back(const dead_letter& x, asked_by who, ended then) {
  const auto kind = origin_kind(x.origin);
  const auto forget = [this, id = x.id, then] { letters_.drop(id, then); };
  const auto failed = [this, id = x.id, then, who](const caf::error& e) {
    const auto why = from_caf(e);
    if (who == asked_by::people && may_be_elsewhere(why))
      retry_elsewhere(self_, ctx_, id, why, then);
    else
      then(fail(why));
  };
  if (auto taker = ctx_.peers->letter_taker(kind)) {
    ask(self_, taker, timeout_, retry_atom_v, x).then(forget, failed);
    return;
  }
  if (kind != "store" && kind != "spool") {
    then(fail(ec::unprocessable,
              "nobody here takes back dead letters of " + std::string{kind}));
    return;
  }
  auto ev = codec::parse_native(x.body);
  auto writer = ctx_.peers->writer.get();
  if (!ev || !writer) {
    then(ev ? fail(ec::overloaded, "the storage writer restarts")
            : fail(ec::unprocessable,
                   "the dead letter holds no event: " + ev.error().message));
    return;
  }
  ev->seq = 0;
  if (ctx_.rules) {
    codec::payload_reader payload;
    ev->keys = ctx_.rules->keys_of_late(*ev, payload);
  }
  ask(self_, writer, timeout_, append_atom_v, event_ptr{std::move(*ev)})
      .then([forget](const append_outcome&) { forget(); }, failed);
}

} // namespace eventweft
