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

void letter_returns::retry(const uuid& id, asked_by who, ended unread,
                           ended then) {
  auto& askers = under_way_[id];
  const bool is_first = askers.empty();
  if (!is_first && who == asked_by::other_node)
    return;
  askers.push_back({who, std::move(unread), std::move(then)});
  if (!is_first)
    return;
  letters_.find(id, [this, id](const expected<dead_letter>& found) {
    if (found) {
      hand_back(*found);
      return;
    }
    for (const auto& one : arrived(id))
      one.unread(fail(found.error()));
  });
}

std::vector<letter_returns::asker> letter_returns::arrived(const uuid& id) {
  auto all = under_way_.extract(id);
  return all ? std::move(all.mapped()) : std::vector<asker>{};
}

void letter_returns::tell_all(const uuid& id, const expected<void>& how) {
  for (auto& one : arrived(id))
    if (!how && one.who == asked_by::people && may_be_elsewhere(how.error()))
      retry_elsewhere(self_, ctx_, id, how.error(), std::move(one.then));
    else
      one.then(how);
}

void letter_returns::hand_back(const dead_letter& x) {
  const auto kind = origin_kind(x.origin);
  const auto refuse = [this, id = x.id](ec code, std::string why) {
    tell_all(id, fail(code, std::move(why)));
  };
  const auto forget = [this, id = x.id] {
    letters_.drop(id, [this, id](const expected<void>& r) { tell_all(id, r); });
  };
  const auto failed = [this, id = x.id](const caf::error& e) {
    tell_all(id, fail(from_caf(e)));
  };
  if (auto taker = ctx_.peers->letter_taker(kind)) {
    ask(self_, taker, timeout_, retry_atom_v, x).then(forget, failed);
    return;
  }
  if (kind != "store" && kind != "spool") {
    refuse(ec::unprocessable,
           "nobody here takes back dead letters of " + std::string{kind});
    return;
  }
  auto ev = codec::parse_native(x.body);
  if (!ev) {
    refuse(ec::unprocessable,
           "the dead letter holds no event: " + ev.error().message);
    return;
  }
  auto writer = ctx_.peers->writer.get();
  if (!writer) {
    refuse(ec::overloaded, "the storage writer restarts");
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
