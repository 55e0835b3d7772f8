// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/link_actor.hpp"

#include "actors/caf_compat.hpp"

#include <set>
#include <utility>

namespace eventweft {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds tick_interval{100};
constexpr milliseconds after_refusal{2'000};

nanoseconds monotonic() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

struct link_state {
  static inline constexpr const char* name = "link";
  std::shared_ptr<link_life> life;
};

} // namespace

void harden(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);
  self->set_exit_handler([](caf::exit_msg&) {});
}

link_life::link_life(caf::event_based_actor* self,
                     std::shared_ptr<mesh_core> core, std::string peer,
                     std::shared_ptr<void> visit)
    : self_(self),
      core_(std::move(core)),
      peer_(std::move(peer)),
      dials_(!peer_.empty()),
      visit_(std::move(visit)),
      pauses_(core_->options.retry_min, core_->options.retry_max) {}

caf::actor link_life::actor() const {
  return caf::actor_cast<caf::actor>(self_);
}

caf::behavior link_life::behavior() {
  return {
      [this](const std::string& bytes) { frame(bytes); },
      [this](const relay_order& order) { return relay(order); },
      [](local_call& call) { call.run(); },
  };
}

void link_life::begin() {
  on_down(self_, [this](const caf::actor_addr& who, const caf::error&) {
    remote_gone(who);
  });
  tick_later();
  if (dials_)
    dial();
}

void link_life::tick_later() {
  run_after(self_, tick_interval, [this] {
    if (channel_)
      channel_->tick(monotonic(), core_->known_head());
    tick_later();
  });
}

// -- the connection -----------------------------------------------------------

void link_life::open(caf::strong_actor_ptr remote) {
  met_ = false;
  fell_ = false;
  remote_ = std::move(remote);
  self_->monitor(remote_);
  ++connection_;
  channel_ = std::make_unique<link::channel>(
      core_->channel(dials_ ? peer_ : std::string{}), *core_->self, *this,
      core_->nonce(), monotonic());
}

void link_life::accept(caf::strong_actor_ptr remote, const std::string& bytes) {
  open(std::move(remote));
  channel_->receive(bytes, monotonic());
}

void link_life::frame(const std::string& bytes) {
  const auto from = self_->current_sender();
  if (!channel_ || !from)
    return;
  if (from != remote_) {
    // The gate that we dialled has made a link for us: it is whom we talk to.
    if (!dials_ || met_)
      return;
    met_ = true;
    self_->demonitor(remote_);
    remote_ = from;
    self_->monitor(remote_);
  }
  if (!peer_.empty())
    core_->ctx.figures->link_received(peer_, bytes.size());
  channel_->receive(bytes, monotonic());
}

void link_life::remote_gone(const caf::actor_addr& who) {
  if (channel_ && remote_ && remote_ == who)
    down("the connection is lost", false);
}

// -- orders -------------------------------------------------------------------

void link_life::give(const log_range_ptr& range) {
  if (channel_)
    channel_->send(*range);
}

void link_life::give(const control_event& e) {
  if (channel_)
    channel_->send(e);
}

void link_life::give(const link::reply_item& x) {
  if (channel_)
    channel_->send(x);
}

void link_life::tell_interest() {
  if (channel_)
    channel_->want_events(core_->wants_events);
}

void link_life::end(const std::string& why) {
  ending_ = true;
  if (channel_)
    channel_->close(why);
  else
    self_->quit();
}

// -- what the channel wants ---------------------------------------------------

void link_life::send(std::string bytes) {
  if (!remote_)
    return;
  if (!peer_.empty())
    core_->ctx.figures->link_sent(peer_, bytes.size());
  tell(self_, caf::actor_cast<caf::actor>(remote_), std::move(bytes));
}

void link_life::up(const link::hello& peer, uint32_t protocol) {
  visit_.reset();
  peer_ = peer.node;
  pauses_.reset();
  core_->up(peer_, shared_from_this(), actor(), protocol);
  // Only now: whoever changes it from here on reaches this link.
  tell_interest();
  if (!dials_) {
    core_->came_from(peer_, actor(), std::nullopt);
    locate();
  }
}

void link_life::locate() {
  if (!remote_ || fell_)
    return;
  const auto later = [this] {
    run_after(self_, after_refusal, [this] { locate(); });
  };
  ask(self_, core_->middleman(), connect_limit, caf::get_atom_v,
      remote_->node())
      .then(
          [this, later](const caf::node_id&, const std::string& host,
                        uint16_t port) {
            if (port == 0)
              later();
            else
              core_->came_from(peer_, actor(), far_end_of(host, port));
          },
          [later](const caf::error&) { later(); });
}

void link_life::down(const std::string& reason, bool refusal) {
  if (std::exchange(fell_, true))
    return;
  visit_.reset();
  // A stranger's name is only what it says.
  core_->down(peer_, actor(), reason, refusal);
  for (auto& [number, batch] : std::exchange(relayed_, {}))
    batch.promise.deliver(to_caf(ec::store_unavailable, "the link is down"));
  // Later: the channel itself may have called, and its last frame, which says
  // why, is to go out.
  run_after(self_, refusal ? after_refusal : milliseconds{50}, [this] {
    if (remote_)
      self_->demonitor(remote_);
    channel_.reset();
    remote_ = nullptr;
    again();
  });
}

void link_life::take(log_range_ptr range) {
  core_->set_head(peer_, range->last);
  if (auto hub = core_->ctx.peers->hub.get())
    tell_anon(hub, committed_atom_v, std::move(range));
}

void link_life::reaches(seq_t head) {
  core_->set_head(peer_, head);
  if (auto hub = core_->ctx.peers->hub.get())
    tell_anon(hub, poll_atom_v, head);
}

void link_life::changed(const control_event& e) {
  core_->ctx.control->deliver_by_link(e);
}

void link_life::replied(link::reply_item x) {
  auto engine = core_->ctx.peers->engine.get();
  if (!engine)
    return;
  if (x.reply)
    tell_anon(engine, answer_atom_v, x.event, std::move(*x.reply));
  else
    tell_anon(engine, answer_atom_v, x.event);
}

void link_life::lost() {
  core_->ctx.control->resync();
  if (auto hub = core_->ctx.peers->hub.get())
    tell_anon(hub, poll_atom_v);
}

void link_life::interested(bool events) {
  core_->set_interest(peer_, events);
}

void link_life::round_trip(nanoseconds d) {
  core_->set_round_trip(peer_, d);
}

void link_life::skipped(size_t events) {
  core_->ctx.figures->link_skipped(peer_, events);
}

// -- dialling -----------------------------------------------------------------

void link_life::dial() {
  caf::actor prober;
  {
    std::lock_guard guard{core_->mutex};
    prober = core_->prober;
  }
  if (!core_->wants(peer_)) {
    self_->quit();
    return;
  }
  if (!prober) {
    // It is being started.
    again();
    return;
  }
  const auto to = split_address(core_->address_of(peer_));
  if (!to) {
    missed("its address can't be read");
    return;
  }
  ask(self_, prober, connect_limit, to->first, to->second)
      .then(
          [this, to](bool there) {
            if (there)
              connect(to->first, to->second);
            else
              missed("nobody answers at " + to->first + ":" +
                     std::to_string(to->second));
          },
          [this](const caf::error& e) { missed(to_string(from_caf(e))); });
}

void link_life::connect(const std::string& host, uint16_t port) {
  auto under_way = core_->begin_dial();
  if (!under_way) {
    run_after(self_, tick_interval, [this] { dial(); });
    return;
  }
  ask(self_, core_->middleman(), connect_limit, caf::connect_atom_v, host, port)
      .then(
          [this, under_way](const caf::node_id&,
                            const caf::strong_actor_ptr& gate,
                            const std::set<std::string>&) mutable {
            under_way.reset();
            if (!gate) {
              missed("nothing is published there");
              return;
            }
            open(gate);
            channel_->start();
          },
          [this, under_way](const caf::error&) mutable {
            under_way.reset();
            missed("no connection: it was refused (a certificate that is not "
                   "from our authority?), or got lost");
          });
}

void link_life::missed(const std::string& why) {
  core_->down(peer_, actor(), why, false);
  again();
}

void link_life::again() {
  if (!dials_ || ending_ || !core_->wants(peer_)) {
    self_->quit();
    return;
  }
  run_after(self_, pauses_.next(*core_->ctx.random), [this] { dial(); });
}

// -- actors -------------------------------------------------------------------

namespace {

caf::behavior link_behavior(caf::stateful_actor<link_state>* self,
                            const std::shared_ptr<mesh_core>& core,
                            const std::string& peer,
                            const std::shared_ptr<void>& visit,
                            const caf::strong_actor_ptr& remote,
                            const std::string& first) {
  harden(self);
  auto life = std::make_shared<link_life>(self, core, peer, visit);
  // The life holds the core, which holds the life of what is up: the actor's
  // end is what undoes that.
  self->attach_functor(
      [core, life, peer, id = self->id()](const caf::error& why) {
        core->ended(id, life.get(), peer, why);
      });
  {
    std::lock_guard guard{core->mutex};
    core->actors.emplace(self->id(), caf::actor_cast<caf::actor>(self));
  }
  auto out = life->behavior();
  life->begin();
  if (remote)
    life->accept(remote, first);
  return out;
}

} // namespace

caf::actor spawn_dialer(const std::shared_ptr<mesh_core>& core,
                        const std::string& peer) {
  return core->sys.spawn(link_behavior, core, peer, std::shared_ptr<void>{},
                         caf::strong_actor_ptr{}, std::string{});
}

caf::actor spawn_dialled(const std::shared_ptr<mesh_core>& core,
                         const std::shared_ptr<void>& visit,
                         const caf::strong_actor_ptr& remote,
                         const std::string& first) {
  return core->sys.spawn(link_behavior, core, std::string{}, visit, remote,
                         first);
}

} // namespace eventweft
