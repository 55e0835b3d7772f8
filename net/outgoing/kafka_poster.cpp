// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/kafka_poster.hpp"

#include "net/outgoing/queue_url.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace eventweft::outgoing {

namespace {

using clock = std::chrono::steady_clock;
using done_function = std::function<void(result)>;

constexpr int poll_ms = 20;

result failed(failure_kind kind, std::string message,
              clock::time_point started) {
  return tl::unexpected<failure>{
      failure{kind, std::move(message),
              std::chrono::duration_cast<std::chrono::microseconds>(
                  clock::now() - started)}};
}

/// Travels through the library as a message's opaque pointer.
struct waiting {
  done_function done;
  clock::time_point started;
};

struct free_kafka {
  void operator()(rd_kafka_t* x) const noexcept { rd_kafka_destroy(x); }
  void operator()(rd_kafka_conf_t* x) const noexcept {
    rd_kafka_conf_destroy(x);
  }
};
using producer = std::unique_ptr<rd_kafka_t, free_kafka>;

void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  const std::unique_ptr<waiting> w{static_cast<waiting*>(message->_private)};
  if (!w)
    return;
  if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
      message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
    w->done(
        failed(failure_kind::shutting_down, "the hub is stopping", w->started));
    return;
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto kind = message->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT
                          ? failure_kind::timed_out
                          : failure_kind::protocol;
    w->done(failed(kind, rd_kafka_err2str(message->err), w->started));
    return;
  }
  response r;
  r.status = 200;
  r.duration = std::chrono::duration_cast<std::chrono::microseconds>(
      clock::now() - w->started);
  w->done(std::move(r));
}

class kafka_poster final : public poster {
 public:
  explicit kafka_poster(queue_access access)
      : access_(std::move(access)), thread_([this] { run(); }) {}

  ~kafka_poster() override {
    stopping_ = true;
    thread_.join();
    for (auto& [server, p] : producers_) {
      rd_kafka_purge(p.get(),
                     RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      // Hands every message back, as purged.
      for (int n = 0; n < 100 && rd_kafka_outq_len(p.get()) > 0; ++n)
        rd_kafka_poll(p.get(), poll_ms);
    }
  }

  void post(request what, done_function done) override {
    const auto now = clock::now();
    const auto to = parse_queue_url(what.url);
    if (!to) {
      done(failed(failure_kind::bad_request, to.error().message, now));
      return;
    }
    std::string problem;
    auto* const p = producer_of(to->server, what.total_timeout, problem);
    if (p == nullptr) {
      done(failed(failure_kind::connect, problem, now));
      return;
    }
    auto* const headers = rd_kafka_headers_new(what.headers.size());
    std::string key;
    for (const auto& [name, value] : what.headers) {
      if (name == "eventweft-key")
        key = value;
      rd_kafka_header_add(headers, name.data(),
                          static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    auto w = std::make_unique<waiting>(waiting{std::move(done), now});
    const auto body = what.body.view();
    rd_kafka_vu_t topic;
    topic.vtype = RD_KAFKA_VTYPE_TOPIC;
    topic.u.cstr = to->name.c_str();
    rd_kafka_vu_t value;
    value.vtype = RD_KAFKA_VTYPE_VALUE;
    // Copied by the library.
    value.u.mem = {const_cast<char*>(body.data()), body.size()};
    rd_kafka_vu_t key_of;
    key_of.vtype = RD_KAFKA_VTYPE_KEY;
    key_of.u.mem = {key.data(), key.size()};
    rd_kafka_vu_t flags;
    flags.vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    flags.u.i = RD_KAFKA_MSG_F_COPY;
    rd_kafka_vu_t with;
    with.vtype = RD_KAFKA_VTYPE_HEADERS;
    with.u.headers = headers;
    rd_kafka_vu_t opaque;
    opaque.vtype = RD_KAFKA_VTYPE_OPAQUE;
    opaque.u.ptr = w.get();
    const std::array all{topic, value, key_of, flags, with, opaque};
    auto* const refused = rd_kafka_produceva(p, all.data(), all.size());
    if (refused == nullptr) {
      static_cast<void>(w.release()); // `delivered` has it now
      return;
    }
    const auto code = rd_kafka_error_code(refused);
    std::string why = rd_kafka_error_string(refused);
    rd_kafka_error_destroy(refused);
    rd_kafka_headers_destroy(headers);
    w->done(failed(code == RD_KAFKA_RESP_ERR__QUEUE_FULL
                       ? failure_kind::overloaded
                       : failure_kind::bad_request,
                   std::move(why), now));
  }

  void check(std::string url,
             std::function<void(expected<void>)> done) override {
    auto read = parse_queue_url(url);
    done(read ? expected<void>{} : fail(read.error()));
  }

 private:
  /// Delivery reports come out of here.
  void run() {
    while (!stopping_) {
      std::vector<rd_kafka_t*> all;
      {
        std::lock_guard guard{mutex_};
        for (const auto& [server, p] : producers_)
          all.push_back(p.get());
      }
      if (all.empty()) {
        std::this_thread::sleep_for(std::chrono::milliseconds{poll_ms});
        continue;
      }
      for (auto* p : all)
        rd_kafka_poll(p, poll_ms / static_cast<int>(all.size()));
    }
  }

  /// Says who we are and sees to it who the servers are.
  void
  let_in(std::vector<std::pair<const char*, std::string>>& settings) const {
    const bool named = !access_.user.empty();
    settings.emplace_back("security.protocol",
                          std::string{named ? "sasl_" : ""} +
                              (access_.tls ? "ssl" : "plaintext"));
    if (access_.tls) {
      settings.emplace_back("ssl.endpoint.identification.algorithm", "https");
      if (!access_.ca_file.empty())
        settings.emplace_back("ssl.ca.location", access_.ca_file);
    }
    if (named) {
      settings.emplace_back("sasl.mechanism", access_.sasl_mechanism);
      settings.emplace_back("sasl.username", access_.user);
      settings.emplace_back("sasl.password", access_.password);
    }
  }

  /// Lives until the poster goes; null with the reason.
  rd_kafka_t* producer_of(const std::string& server,
                          std::chrono::milliseconds timeout,
                          std::string& problem) {
    std::lock_guard guard{mutex_};
    if (auto i = producers_.find(server); i != producers_.end())
      return i->second.get();
    std::unique_ptr<rd_kafka_conf_t, free_kafka> conf{rd_kafka_conf_new()};
    std::array<char, 512> text{};
    std::vector<std::pair<const char*, std::string>> settings{
        {"bootstrap.servers", server},
        {"client.id", "eventweft"},
        {"enable.idempotence", "true"},
        {"linger.ms", "1"},
        {"message.timeout.ms", std::to_string(timeout.count())},
        // The library's own ten seconds outlast a message: brokers that are
        // back would go on failing deliveries. How often to try is the
        // subscription's back-off.
        {"reconnect.backoff.max.ms", "500"},
    };
    let_in(settings);
    for (const auto& [name, value] : settings)
      if (rd_kafka_conf_set(conf.get(), name, value.c_str(), text.data(),
                            text.size()) != RD_KAFKA_CONF_OK) {
        problem = text.data();
        return nullptr;
      }
    rd_kafka_conf_set_dr_msg_cb(conf.get(), delivered);
    // What it has to say comes back with each message.
    rd_kafka_conf_set_log_cb(conf.get(), nullptr);
    producer made{
        rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size())};
    if (!made) {
      problem = text.data();
      return nullptr;
    }
    static_cast<void>(conf.release()); // the producer has it now
    return producers_.emplace(server, std::move(made)).first->second.get();
  }

  const queue_access access_;
  std::mutex mutex_;
  std::map<std::string, producer> producers_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

} // namespace

std::unique_ptr<poster> make_kafka_poster(queue_access access) {
  return std::make_unique<kafka_poster>(std::move(access));
}

} // namespace eventweft::outgoing
