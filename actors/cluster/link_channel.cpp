// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/link_channel.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::link {

namespace {

constexpr size_t most_controls = 256;
constexpr size_t most_frames = 4'096;
constexpr size_t most_answers = 1'024;
/// Room that events leave for notes about the log and for control events.
constexpr uint64_t spare_bytes = 16u << 10;

size_t size_of(const data_item& item) {
  if (const auto* x = std::get_if<events_item>(&item)) {
    size_t bytes = 32;
    for (const auto& e : x->events)
      bytes += e.size() + 4;
    return bytes;
  }
  if (const auto* x = std::get_if<control_event>(&item))
    return 32 + x->what.size();
  if (const auto* x = std::get_if<reply_item>(&item); x && x->reply)
    return 48 + x->reply->content_type.size() + x->reply->body.size();
  if (const auto* x = std::get_if<news_item>(&item))
    return bytes_of(x->news);
  if (const auto* x = std::get_if<append_item>(&item))
    return 32 + x->events.size();
  if (const auto* x = std::get_if<appended_item>(&item))
    return bytes_of(*x);
  if (const auto* x = std::get_if<newer_item>(&item))
    return 32 + x->body.size();
  return 32;
}

} // namespace

channel::channel(channel_options options, const identity& self,
                 channel_port& port, std::string nonce, nanoseconds now)
    : options_(std::move(options)),
      self_(self),
      port_(port),
      mine_(options_.me),
      now_(now),
      started_(now),
      heard_(now) {
  mine_.nonce = std::move(nonce);
  mine_.certificate = self_.certificate();
}

void channel::start() {
  if (state_ != state::fresh || options_.peer.empty())
    return;
  state_ = state::greeted;
  port_.send(encode(mine_));
}

void channel::receive(std::string_view bytes, nanoseconds now) {
  if (state_ == state::dead)
    return;
  now_ = now;
  heard_ = now;
  auto f = decode(bytes);
  if (!f) {
    die(f.error().message);
    return;
  }
  std::visit([this](auto& x) { on(x); }, *f);
}

// -- handshake ----------------------------------------------------------------

std::optional<std::string> channel::misfit(const hello& h) const {
  if (h.node == mine_.node)
    return "both nodes have the name " + h.node;
  if (!options_.peer.empty() && h.node != options_.peer)
    return "node " + h.node + " answers where " + options_.peer + " should be";
  if (h.store != mine_.store)
    return "another store: node " + h.node + " works on " + to_string(h.store) +
           ", node " + mine_.node + " on " + to_string(mine_.store);
  if (std::min(h.protocol, mine_.protocol) <
      std::max(h.protocol_min, mine_.protocol_min))
    return "no common protocol: node " + h.node + " speaks " +
           std::to_string(h.protocol_min) + " to " +
           std::to_string(h.protocol) + ", node " + mine_.node + " " +
           std::to_string(mine_.protocol_min) + " to " +
           std::to_string(mine_.protocol);
  if (h.types != mine_.types)
    return "another table of types: the two programs were built with "
           "different versions of their transport";
  return std::nullopt;
}

std::string channel::transcript(std::string_view role) const {
  const bool dialled = !options_.peer.empty();
  return "eventweft link, " + std::string{role} + '\n' +
         encode(dialled ? mine_ : peer_) + encode(dialled ? peer_ : mine_);
}

void channel::on(hello& x) {
  if (state_ != state::fresh || !options_.peer.empty()) {
    unexpected();
    return;
  }
  peer_ = std::move(x);
  if (auto why = misfit(peer_)) {
    refuse(*why);
    return;
  }
  auto signature = self_.sign(transcript("answer"));
  if (!signature) {
    refuse("node " + mine_.node + " can't sign: " + signature.error().message);
    return;
  }
  state_ = state::answered;
  port_.send(encode(answer{mine_, std::move(*signature)}));
}

void channel::on(answer& x) {
  if (state_ != state::greeted) {
    unexpected();
    return;
  }
  peer_ = std::move(x.who);
  if (auto why = misfit(peer_)) {
    refuse(*why);
    return;
  }
  if (auto known = self_.verify(peer_.certificate, peer_.node,
                                transcript("answer"), x.signature);
      !known) {
    refuse(known.error().message);
    return;
  }
  auto signature = self_.sign(transcript("proof"));
  if (!signature) {
    refuse("node " + mine_.node + " can't sign: " + signature.error().message);
    return;
  }
  state_ = state::answered;
  port_.send(encode(proof{std::move(*signature)}));
}

void channel::on(proof& x) {
  if (state_ != state::answered || !options_.peer.empty()) {
    unexpected();
    return;
  }
  if (auto known = self_.verify(peer_.certificate, peer_.node,
                                transcript("proof"), x.signature);
      !known) {
    refuse(known.error().message);
    return;
  }
  port_.send(encode(welcome{options_.window}));
  // The dialler's window is not known before its first ack.
  opened(options_.window);
}

void channel::on(welcome& x) {
  if (state_ != state::answered || options_.peer.empty()) {
    unexpected();
    return;
  }
  opened(x.credit);
  port_.send(encode(ack{0, options_.window}));
}

void channel::opened(uint64_t credit) {
  state_ = state::up;
  credit_ = credit;
  protocol_ = std::min(mine_.protocol, peer_.protocol);
  port_.up(peer_, protocol_);
  if (state_ == state::up)
    flush();
}

void channel::on(refused& x) {
  die((options_.peer.empty() ? peer_.node : options_.peer) +
          " says: " + x.reason,
      true);
}

void channel::refuse(const std::string& reason) {
  port_.send(encode(refused{reason}));
  die(reason, true);
}

void channel::unexpected() {
  die("a frame out of turn");
}

void channel::die(const std::string& reason, bool refusal) {
  if (std::exchange(state_, state::dead) == state::dead)
    return;
  unacknowledged_.clear();
  controls_.clear();
  answers_.clear();
  port_.down(reason, refusal);
}

void channel::close(const std::string& reason) {
  if (state_ == state::dead)
    return;
  port_.send(encode(bye{reason}));
  die(reason);
}

void channel::on(bye& x) {
  die("closed by the peer: " + x.reason);
}

// -- data ---------------------------------------------------------------------

bool channel::room(size_t bytes) const noexcept {
  return unacknowledged_.size() < most_frames &&
         (in_flight_ + bytes <= credit_ || unacknowledged_.empty());
}

void channel::put(data_item item) {
  auto bytes = encode(data{++sent_, std::move(item)});
  in_flight_ += bytes.size();
  unacknowledged_.emplace_back(sent_, bytes.size());
  port_.send(std::move(bytes));
}

void channel::want_events(bool wanted) {
  if (std::exchange(wants_, wanted) != wanted)
    interest_due_ = true;
  if (state_ == state::up)
    flush();
}

void channel::send(const log_range& range) {
  if (state_ != state::up)
    return;
  if (!peer_wants_) {
    behind_ = std::max(behind_, range.last);
    flush();
    return;
  }
  size_t missed = 0;
  for (auto& piece : pieces_of(range)) {
    const auto* events = std::get_if<events_item>(&piece);
    const bool is_news = std::holds_alternative<news_item>(piece);
    if (is_news && protocol_ < news_protocol)
      continue;
    if (behind_ == 0 &&
        room(size_of(piece) + (events || is_news ? spare_bytes : 0))) {
      put(std::move(piece));
      continue;
    }
    // It reads from here on; what follows waits for that. Whoever reads sees
    // the threads as they are then.
    missed += events ? events->events.size() : is_news ? 0 : 1;
    behind_ = range.last;
  }
  if (missed != 0)
    port_.skipped(missed);
}

void channel::send(const control_event& e) {
  if (state_ != state::up)
    return;
  if (std::ranges::find(controls_, e) == controls_.end()) {
    if (controls_.size() >= most_controls) {
      // Anything of any kind, then.
      controls_.clear();
      for (uint8_t kind = 0; kind <= last_control_kind; ++kind)
        controls_.push_back({static_cast<control_kind>(kind), {}});
    } else {
      controls_.push_back(e);
    }
  }
  flush();
}

void channel::send(reply_item x) {
  if (state_ != state::up || protocol_ < replies_protocol)
    return;
  data_item item{std::move(x)};
  const auto bytes = size_of(item);
  if (bytes <= frame_fill_bytes && room(bytes))
    put(std::move(item));
}

bool channel::send(append_item x) {
  if (state_ != state::up || protocol_ < relay_protocol)
    return false;
  data_item item{std::move(x)};
  const auto bytes = size_of(item);
  if (bytes + 64 > max_frame_bytes || !room(bytes + spare_bytes))
    return false;
  put(std::move(item));
  return true;
}

void channel::send(appended_item x) {
  if (state_ != state::up || answers_.size() == most_answers ||
      bytes_of(x) + 64 > max_frame_bytes)
    return;
  answers_.push_back(std::move(x));
  flush();
}

/// What waited for credit.
void channel::flush() {
  while (!answers_.empty() && room(bytes_of(answers_.front()))) {
    auto x = std::move(answers_.front());
    answers_.pop_front();
    put(std::move(x));
  }
  while (!controls_.empty() && room(size_of(controls_.front()))) {
    auto e = std::move(controls_.front());
    controls_.pop_front();
    put(std::move(e));
  }
  if (interest_due_ && protocol_ >= interest_protocol &&
      room(size_of(interest_item{}))) {
    interest_due_ = false;
    interest_told_ = true;
    put(interest_item{wants_});
  }
  if (behind_ != 0 && room(spare_bytes))
    put(head_item{std::exchange(behind_, 0)});
}

void channel::on(data& x) {
  if (state_ != state::up) {
    unexpected();
    return;
  }
  // Twice, or overtaken: the store has been looked at for it.
  if (x.number <= received_)
    return;
  if (x.number != received_ + 1) {
    news_ = {};
    port_.lost();
  }
  received_ = x.number;
  since_ack_ += size_of(x.item);
  if (auto* events = std::get_if<events_item>(&x.item)) {
    auto range = range_of(*events, std::exchange(news_, {}));
    if (!range) {
      die(range.error().message);
      return;
    }
    peer_head_ = std::max(peer_head_, (*range)->last);
    port_.take(std::move(*range));
  } else if (auto* news = std::get_if<news_item>(&x.item)) {
    news_ = std::move(news->news);
  } else if (auto* head = std::get_if<head_item>(&x.item)) {
    news_ = {};
    peer_head_ = std::max(peer_head_, head->seq);
    port_.reaches(head->seq);
  } else if (auto* reply = std::get_if<reply_item>(&x.item)) {
    port_.replied(std::move(*reply));
  } else if (auto* append = std::get_if<append_item>(&x.item)) {
    port_.asked(std::move(*append));
  } else if (auto* done = std::get_if<appended_item>(&x.item)) {
    port_.answered(std::move(*done));
  } else if (auto* change = std::get_if<control_event>(&x.item)) {
    port_.changed(*change);
  } else if (auto* interest = std::get_if<interest_item>(&x.item)) {
    if (std::exchange(peer_wants_, interest->events) != interest->events)
      port_.interested(peer_wants_);
  } else {
    port_.lost();
  }
  if (since_ack_ >= options_.window / 4)
    acknowledge();
}

void channel::acknowledge() {
  if (received_ == acknowledged_)
    return;
  acknowledged_ = received_;
  since_ack_ = 0;
  port_.send(encode(ack{received_, options_.window}));
}

void channel::on(ack& x) {
  if (state_ != state::up) {
    unexpected();
    return;
  }
  if (x.number > sent_) {
    die("an acknowledgement of what was never sent");
    return;
  }
  credit_ = x.credit;
  while (!unacknowledged_.empty() &&
         unacknowledged_.front().first <= x.number) {
    in_flight_ -= unacknowledged_.front().second;
    unacknowledged_.pop_front();
  }
  flush();
}

void channel::on(ping& x) {
  if (state_ != state::up) {
    unexpected();
    return;
  }
  if (x.sent > received_) {
    received_ = x.sent;
    port_.lost();
  }
  peer_head_ = std::max(peer_head_, x.head);
  port_.reaches(x.head);
  port_.send(encode(pong{x.stamp, head_}));
  // Whether or not there is something new: the one before may be lost, and
  // with it the peer's credit.
  acknowledged_ = received_;
  since_ack_ = 0;
  port_.send(encode(ack{received_, options_.window}));
}

void channel::on(pong& x) {
  if (state_ != state::up) {
    unexpected();
    return;
  }
  peer_head_ = std::max(peer_head_, x.head);
  // Ours, unless the peer made it up.
  if (x.stamp <= static_cast<uint64_t>(pinged_.count()))
    port_.round_trip(now_ - nanoseconds{static_cast<int64_t>(x.stamp)});
}

void channel::tick(nanoseconds now, seq_t head) {
  if (state_ == state::dead)
    return;
  now_ = now;
  head_ = head;
  if (state_ != state::up) {
    if (now - started_ > options_.handshake)
      die("no handshake in time");
    return;
  }
  if (now - heard_ > options_.silence) {
    die("the peer is silent");
    return;
  }
  const bool ping_due = now - pinged_ >= options_.ping;
  // What was lost on the way would stay wrong for as long as the link stands.
  if (ping_due && interest_told_)
    interest_due_ = true;
  acknowledge();
  flush();
  if (ping_due) {
    pinged_ = now;
    port_.send(encode(ping{static_cast<uint64_t>(now.count()), sent_, head}));
  }
}

} // namespace eventweft::link
