// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/mesh_core.hpp"

#include "actors/caf_compat.hpp"
#include "actors/cluster/link_actor.hpp"

#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// Handshakes that others may have under way with us.
constexpr int most_strangers = 64;

/// What is said of a living peer that dials us and has not come yet.
constexpr const char* waiting = "waiting: it dials this node";

} // namespace

void order(const caf::actor& who, std::function<void()> f) {
  if (who)
    tell_anon(who, local_call{std::move(f)});
}

caf::io::middleman_actor mesh_core::middleman() {
  return options.tls ? sys.openssl_manager().actor_handle()
                     : sys.middleman().actor_handle();
}

std::string mesh_core::nonce() {
  std::string out;
  while (out.size() < link::nonce_bytes) {
    auto bits = ctx.random->next();
    for (int i = 0; i < 8; ++i, bits >>= 8)
      out.push_back(static_cast<char>(bits & 0xff));
  }
  return out;
}

link::channel_options mesh_core::channel(const std::string& peer) const {
  link::channel_options out;
  out.me = options.me;
  out.peer = peer;
  out.window = options.window;
  return out;
}

void mesh_core::reached(seq_t seq) {
  auto was = head.load();
  while (was < seq && !head.compare_exchange_weak(was, seq))
    ;
}

seq_t mesh_core::known_head() const {
  return std::max(head.load(), ctx.figures->head());
}

void mesh_core::set_head(const std::string& peer, seq_t seq) {
  reached(seq);
  std::lock_guard guard{mutex};
  auto& r = records[peer];
  r.head = std::max(r.head, seq);
}

void mesh_core::set_interest(const std::string& peer, bool events) {
  ctx.log->debug("cluster: node {} {}", peer,
                 events ? "wants events" : "only wants the log's end");
  std::lock_guard guard{mutex};
  records[peer].gets_events = events;
}

void mesh_core::set_round_trip(const std::string& peer,
                               std::chrono::nanoseconds d) {
  ctx.figures->link_round_trip(peer, d);
  std::lock_guard guard{mutex};
  records[peer].round_trip = d;
}

void mesh_core::up(const std::string& peer,
                   const std::shared_ptr<link_life>& life,
                   const caf::actor& link, uint32_t protocol) {
  caf::actor older;
  std::shared_ptr<link_life> older_life;
  {
    std::lock_guard guard{mutex};
    auto& r = records[peer];
    older = std::exchange(r.link, link);
    older_life = std::exchange(r.life, life);
    r.state = "up";
    r.protocol = protocol;
    r.gets_events = true;
    r.came = false;
    r.far_end.reset();
    r.logged.clear();
  }
  tell_link(peer, true);
  ctx.log->info("cluster: the link to node {} is up (protocol {})", peer,
                protocol);
  if (older && older != link)
    order(older, [older_life] { older_life->end("a newer link is there"); });
  // What was said while there was none.
  ctx.control->resync();
  if (auto hub = ctx.peers->hub.get())
    tell_anon(hub, poll_atom_v);
}

void mesh_core::came_from(const std::string& peer, const caf::actor& link,
                          std::optional<std::string> far_end) {
  std::lock_guard guard{mutex};
  const auto r = records.find(peer);
  if (r == records.end() || r->second.link != link)
    return;
  r->second.came = true;
  r->second.far_end = std::move(far_end);
}

std::optional<std::set<std::string>> mesh_core::members_at_port() {
  std::lock_guard guard{mutex};
  std::set<std::string> out;
  for (const auto& [peer, r] : records) {
    if (!r.link || !r.came)
      continue;
    if (!r.far_end)
      return std::nullopt;
    out.insert(*r.far_end);
  }
  return out;
}

void mesh_core::down(const std::string& peer, const caf::actor& link,
                     const std::string& reason, bool refusal) {
  if (refusal)
    ctx.figures->link_refused();
  if (peer.empty()) {
    // It tries again every few seconds.
    const auto now = std::chrono::steady_clock::now();
    std::lock_guard guard{mutex};
    std::erase_if(strangers_told, [now](const auto& entry) {
      return now - entry.second >= std::chrono::minutes{1};
    });
    if (strangers_told.emplace(reason, now).second)
      ctx.log->warn("cluster: a link was refused: {}", reason);
    return;
  }
  std::shared_ptr<link_life> gone;
  bool news = false;
  {
    std::lock_guard guard{mutex};
    auto& r = records[peer];
    // The end of one that has a successor is no news.
    if (r.link && r.link != link)
      return;
    const bool was_up = r.link != nullptr;
    r.link = nullptr;
    gone = std::exchange(r.life, nullptr);
    r.state = (refusal ? "refused: " : "down: ") + reason;
    r.round_trip.reset();
    news = was_up || r.logged != r.state;
    r.logged = r.state;
  }
  tell_link(peer, false);
  if (news)
    ctx.log->warn("cluster: the link to node {} is {}: {}", peer,
                  refusal ? "refused" : "down", reason);
}

void mesh_core::await(const std::set<std::string>& peers,
                      std::chrono::milliseconds patience) {
  std::vector<std::string> absent, late;
  {
    std::lock_guard guard{mutex};
    for (const auto& peer : peers)
      if (auto [i, is_new] = records.try_emplace(peer); is_new) {
        i->second.state = waiting;
        absent.push_back(peer);
      }
    std::erase_if(records, [&](const auto& entry) {
      return entry.second.state == waiting && !peers.contains(entry.first);
    });
    const auto now = std::chrono::steady_clock::now();
    for (auto& [peer, r] : records) {
      if (r.link || !peers.contains(peer)) {
        r.missed_since.reset();
        r.missed_told = false;
        continue;
      }
      if (!r.missed_since)
        r.missed_since = now;
      if (now - *r.missed_since >= patience &&
          !std::exchange(r.missed_told, true))
        late.push_back(peer);
    }
  }
  for (const auto& peer : absent)
    tell_link(peer, false);
  for (const auto& peer : late)
    ctx.log->warn("cluster: node {} is alive, but makes no link to this one, "
                  "which it dials: its log says why (an address that it can't "
                  "reach, or a certificate that is not from our authority?)",
                  peer);
}

void mesh_core::keep(const std::set<std::string>& peers) {
  std::lock_guard guard{mutex};
  std::erase_if(records, [&](const auto& entry) {
    return !entry.second.link && !peers.contains(entry.first);
  });
  std::erase_if(counted, [&](const std::string& peer) {
    if (peers.contains(peer) || records.contains(peer))
      return false;
    ctx.figures->forget_peer(peer);
    return true;
  });
}

void mesh_core::tell_link(const std::string& peer, bool stands) {
  std::lock_guard guard{mutex};
  counted.insert(peer);
  ctx.figures->set_link(peer, stands);
}

bool mesh_core::wants(const std::string& peer) {
  std::lock_guard guard{mutex};
  return !closed && wanted.contains(peer);
}

bool mesh_core::is_appender() {
  std::lock_guard guard{mutex};
  return !closed && appender == options.me.node;
}

std::string mesh_core::address_of(const std::string& peer) {
  std::lock_guard guard{mutex};
  const auto i = wanted.find(peer);
  return i == wanted.end() ? std::string{} : i->second;
}

// Also where the actor fails meanwhile: what it waited with goes with it.
std::shared_ptr<void> mesh_core::begin_dial() {
  {
    std::lock_guard guard{mutex};
    if (swapping || closed)
      return nullptr;
    ++dialling;
  }
  return {this, [core = shared_from_this()](void*) { --core->dialling; }};
}

std::shared_ptr<void> mesh_core::begin_visit() {
  if (strangers.fetch_add(1) >= most_strangers) {
    --strangers;
    return nullptr;
  }
  return {this, [core = shared_from_this()](void*) { --core->strangers; }};
}

void mesh_core::ended(caf::actor_id id, const link_life* life, std::string peer,
                      const caf::error& why) {
  bool was_up = false;
  {
    std::lock_guard guard{mutex};
    actors.erase(id);
    std::erase_if(dialers, [id](const auto& entry) {
      return entry.second && entry.second.id() == id;
    });
    for (auto& [name, r] : records)
      if (r.life.get() == life) {
        was_up = true;
        peer = name;
        r.life = nullptr;
        r.link = nullptr;
        r.round_trip.reset();
        r.state = r.logged = "down: its actor failed";
      }
    // By itself, or with all the others.
    if (!why || closed)
      return;
  }
  if (was_up)
    tell_link(peer, false);
  ctx.log->error("actor link{} ended: {}", peer.empty() ? "" : " to " + peer,
                 caf::to_string(why));
  // One that dialled is started anew when the members are looked at next; to
  // one that was dialled the peer comes back.
  ctx.figures->actor_restarted("link");
}

void mesh_core::each_link(const std::function<void(link_life&)>& f) {
  std::vector<std::pair<caf::actor, std::shared_ptr<link_life>>> all;
  {
    std::lock_guard guard{mutex};
    for (const auto& [peer, r] : records)
      if (r.link)
        all.emplace_back(r.link, r.life);
  }
  for (const auto& [actor, life] : all)
    order(actor, [life = life, f] { f(*life); });
}

} // namespace eventweft
