// SPDX-License-Identifier: Apache-2.0
#include "app/subscription_registry.hpp"

#include "actors/caf_compat.hpp"
#include "app/question.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace eventweft {

namespace {

/// See `open`.
constexpr std::chrono::milliseconds head_timeout{2'000};

} // namespace

class subscription_registry::control final : public reader_control {
 public:
  control(std::shared_ptr<slot> to, seq_t start)
      : to_(std::move(to)), start_(start) {}

  ~control() override {
    if (auto h = to_->get())
      end_actor(h, caf::exit_reason::user_shutdown);
  }

  void next(uint32_t epoch, seq_t cursor) override {
    if (auto h = to_->get())
      tell_anon(h, next_atom_v, epoch, cursor);
  }

  seq_t start() const noexcept override { return start_; }

  void change_filter(filter f) override {
    if (auto h = to_->get())
      tell_anon(h, filter_atom_v, std::move(f));
  }

 private:
  std::shared_ptr<slot> to_;
  seq_t start_;
};

void subscription_registry::open(
    reader_request request, filter stream_filter,
    net::reply_to<std::shared_ptr<reader_control>> reply) {
  if (request.start.from != start_point::kind::now) {
    open_at(std::move(request), std::move(stream_filter), reply);
    return;
  }
  put_question(
      *ctx_.peers, head_timeout,
      net::reply_to<seq_t>{
          [me = shared_from_this(), request = std::move(request),
           filter = std::move(stream_filter),
           reply = std::move(reply)](expected<seq_t> head) mutable {
            if (head)
              request.start = start_point::after(*head);
            me->open_at(std::move(request), std::move(filter), reply);
          }},
      [peers = ctx_.peers] { return peers->hub.get(); }, head_atom_v);
}

void subscription_registry::open_at(
    reader_request request, filter stream_filter,
    const net::reply_to<std::shared_ptr<reader_control>>& reply) {
  // Nobody would ever serve it, or end it.
  if (!ctx_.peers->askers.next()) {
    reply(fail(ec::shutting_down, "the server starts or stops"));
    return;
  }
  auto to = std::make_shared<slot>();
  const auto& from = request.start;
  const bool known = from.from == start_point::kind::after_seq;
  auto made =
      std::make_shared<control>(to, known ? std::max<seq_t>(from.seq, 0) : -1);
  subscription_spec spec;
  spec.id = reserve(to, request);
  spec.request = std::move(request);
  spec.stream_filter = std::move(stream_filter);
  spec.on_end = [all = weak_from_this(), to, id = spec.id] {
    to->set({});
    if (auto registry = all.lock())
      registry->erase(id);
  };
  const auto name = spec.request.stream;
  const auto shown = spec.stream_filter;
  to->set(spawn_subscription(sys_, ctx_, options_, std::move(spec)));
  // It may have changed before the reader could be told.
  const auto now = catalogue_->get(name);
  if (!now) {
    reply(fail(now.error()));
    return;
  }
  if (const auto h = to->get(); h && now->filter != shown)
    tell_anon(h, put_atom_v, now->filter);
  reply(std::move(made));
}

void subscription_registry::stream_changed(const stream_event& e) {
  for (auto& r : of_stream(e.name)) {
    auto h = r.to->get();
    if (!h)
      continue;
    if (e.now) {
      tell_anon(h, put_atom_v, e.now->filter);
      continue;
    }
    r.lane->end(r.reader, reader_end::stream_deleted,
                "the stream " + e.name + " was deleted");
    end_actor(h, caf::exit_reason::user_shutdown);
  }
}

void subscription_registry::end_all() {
  for (auto& s : all())
    if (auto h = s->get())
      end_actor(h, caf::exit_reason::user_shutdown);
}

void subscription_registry::move_all() {
  for (auto& s : all())
    if (auto h = s->get())
      tell_anon(caf::actor_cast<caf::actor>(h),
                caf::exit_msg{{}, to_caf(ec::shutting_down, "drained")});
}

void subscription_registry::forget_all() {
  for (auto& s : all())
    s->set({});
}

subscription_id subscription_registry::reserve(std::shared_ptr<slot> s,
                                               const reader_request& request) {
  std::lock_guard guard{mutex_};
  entries_.emplace(
      ++last_, entry{std::move(s), request.stream, request.lane, request.id});
  return last_;
}

void subscription_registry::erase(subscription_id id) {
  std::shared_ptr<slot> gone;
  std::lock_guard guard{mutex_};
  if (auto i = entries_.find(id); i != entries_.end()) {
    gone = std::move(i->second.to);
    entries_.erase(i);
  }
}

std::vector<subscription_registry::entry>
subscription_registry::of_stream(const std::string& stream) {
  std::lock_guard guard{mutex_};
  std::vector<entry> out;
  for (auto& [id, r] : entries_)
    if (r.stream == stream)
      out.push_back(r);
  return out;
}

std::vector<std::shared_ptr<subscription_registry::slot>>
subscription_registry::all() {
  std::lock_guard guard{mutex_};
  std::vector<std::shared_ptr<slot>> out;
  out.reserve(entries_.size());
  for (auto& [id, r] : entries_)
    out.push_back(r.to);
  return out;
}

} // namespace eventweft
