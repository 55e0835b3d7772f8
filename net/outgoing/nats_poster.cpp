// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/nats_poster.hpp"

#include "net/outgoing/queue_url.hpp"

#include <nats/nats.h>

#include <chrono>
#include <condition_variable>
#include <deque>
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

constexpr size_t max_waiting = 10'000;
constexpr int64_t max_pending = 10'000;
// After an attempt to connect that failed.
constexpr std::chrono::seconds connect_pause{1};
constexpr const char* number_header = "Eventweft-Delivery";

result failed(failure_kind kind, std::string message,
              clock::time_point started) {
  return tl::unexpected<failure>{
      failure{kind, std::move(message),
              std::chrono::duration_cast<std::chrono::microseconds>(
                  clock::now() - started)}};
}

struct job {
  request what;
  done_function done;
  clock::time_point started;
};

/// What is on its way to one server.
class in_flight {
 public:
  uint64_t add(done_function done, clock::time_point started) {
    std::lock_guard guard{mutex_};
    open_.emplace(++last_, waiting{std::move(done), started});
    return last_;
  }

  void finish(uint64_t number, const std::string& problem) {
    waiting w;
    {
      std::lock_guard guard{mutex_};
      auto i = open_.find(number);
      if (i == open_.end())
        return;
      w = std::move(i->second);
      open_.erase(i);
    }
    if (!problem.empty()) {
      w.done(failed(failure_kind::protocol, problem, w.started));
      return;
    }
    response r;
    r.status = 200;
    r.duration = std::chrono::duration_cast<std::chrono::microseconds>(
        clock::now() - w.started);
    w.done(std::move(r));
  }

  void fail_all(failure_kind kind, const std::string& why) {
    std::map<uint64_t, waiting> all;
    {
      std::lock_guard guard{mutex_};
      all = std::exchange(open_, {});
    }
    for (auto& [number, w] : all)
      w.done(failed(kind, why, w.started));
  }

  /// Nothing that is still open will be heard of.
  void closed() {
    fail_all(failure_kind::protocol, "the connection was closed");
  }

  static void closed_for_good(natsConnection*, void* self) {
    static_cast<in_flight*>(self)->closed();
  }

  static void acknowledged(jsCtx*, natsMsg* msg, jsPubAck* ack,
                           jsPubAckErr* bad, void* self) {
    const char* number = nullptr;
    if (natsMsgHeader_Get(msg, number_header, &number) == NATS_OK) {
      std::string problem;
      if (ack == nullptr)
        problem = bad != nullptr && bad->ErrText != nullptr && *bad->ErrText
                      ? bad->ErrText
                      : natsStatus_GetText(bad ? bad->Err : NATS_ERR);
      static_cast<in_flight*>(self)->finish(std::stoull(number), problem);
    }
    natsMsg_Destroy(msg);
  }

 private:
  struct waiting {
    done_function done;
    clock::time_point started;
  };

  std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<uint64_t, waiting> open_;
};

/// The library may still be in a callback when a connection is gone; what the
/// callback needs stays, one small object for each connection ever made.
std::shared_ptr<in_flight> kept_in_flight() {
  static std::mutex mutex;
  static std::vector<std::shared_ptr<in_flight>> all;
  std::lock_guard guard{mutex};
  return all.emplace_back(std::make_shared<in_flight>());
}

struct free_nats {
  void operator()(natsOptions* x) const noexcept { natsOptions_Destroy(x); }
  void operator()(natsConnection* x) const noexcept {
    natsConnection_Destroy(x);
  }
  void operator()(jsCtx* x) const noexcept { jsCtx_Destroy(x); }
};
template <class T>
using nats_ptr = std::unique_ptr<T, free_nats>;

struct server_link {
  nats_ptr<natsConnection> connection;
  nats_ptr<jsCtx> stream;
  std::shared_ptr<in_flight> flights;
  clock::time_point not_before{};
  std::string problem;
};

class nats_poster final : public poster {
 public:
  explicit nats_poster(queue_access access)
      : access_(std::move(access)), thread_([this] { run(); }) {}

  ~nats_poster() override {
    std::deque<job> left;
    {
      std::lock_guard guard{mutex_};
      stopping_ = true;
      left = std::exchange(jobs_, {});
    }
    woken_.notify_all();
    thread_.join();
    for (auto& j : left)
      j.done(failed(failure_kind::shutting_down, "the hub is stopping",
                    j.started));
    for (auto& [server, link] : links_) {
      link.stream.reset();
      // Before it is said that the connection is closed.
      if (link.flights)
        link.flights->fail_all(failure_kind::shutting_down,
                               "the hub is stopping");
      link.connection.reset();
    }
  }

  void post(request what, done_function done) override {
    const auto now = clock::now();
    {
      std::lock_guard guard{mutex_};
      if (!stopping_ && jobs_.size() < max_waiting) {
        jobs_.push_back({std::move(what), std::move(done), now});
        woken_.notify_one();
        return;
      }
    }
    done(failed(failure_kind::overloaded, "too many messages wait", now));
  }

  void check(std::string url,
             std::function<void(expected<void>)> done) override {
    auto read = parse_queue_url(url);
    done(read ? expected<void>{} : fail(read.error()));
  }

 private:
  void run() {
    std::unique_lock guard{mutex_};
    while (!stopping_) {
      if (jobs_.empty()) {
        woken_.wait(guard);
        continue;
      }
      auto next = std::move(jobs_.front());
      jobs_.pop_front();
      guard.unlock();
      publish(std::move(next));
      guard.lock();
    }
  }

  void publish(job j) {
    const auto to = parse_queue_url(j.what.url);
    if (!to) {
      j.done(failed(failure_kind::bad_request, to.error().message, j.started));
      return;
    }
    auto& link = links_[to->server];
    if (!connected(link, to->server, j.what.connect_timeout)) {
      j.done(failed(failure_kind::connect, link.problem, j.started));
      return;
    }
    natsMsg* msg = nullptr;
    const auto body = j.what.body.view();
    auto status = natsMsg_Create(&msg, to->name.c_str(), nullptr, body.data(),
                                 static_cast<int>(body.size()));
    // The server drops what it has already, and is not to take a replay for it.
    std::string id;
    std::string replay;
    for (const auto& [name, value] : j.what.headers) {
      if (name == "webhook-id")
        id = value;
      else if (name == replay_header)
        replay = value;
      if (status == NATS_OK)
        status = natsMsgHeader_Set(msg, name.c_str(), value.c_str());
    }
    if (!id.empty() && !replay.empty())
      id += ':' + replay;
    const auto number = link.flights->add(std::move(j.done), j.started);
    if (status == NATS_OK)
      status =
          natsMsgHeader_Set(msg, number_header, std::to_string(number).c_str());
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = j.what.total_timeout.count();
    options.MsgId = id.empty() ? nullptr : id.c_str();
    if (status == NATS_OK)
      status = js_PublishMsgAsync(link.stream.get(), &msg, &options);
    natsMsg_Destroy(msg);
    if (status != NATS_OK)
      link.flights->finish(number, natsStatus_GetText(status));
  }

  /// Says who we are and sees to it who the server is.
  natsStatus let_in(natsOptions* options, const std::string& server) const {
    auto status = NATS_OK;
    if (access_.tls) {
      // Without it the library takes any name in a certificate.
      const auto host = server.substr(0, server.rfind(':'));
      status = natsOptions_SetSecure(options, true);
      if (status == NATS_OK)
        status = natsOptions_SetExpectedHostname(options, host.c_str());
      if (status == NATS_OK && !access_.ca_file.empty())
        status = natsOptions_LoadCATrustedCertificates(options,
                                                       access_.ca_file.c_str());
    }
    if (status == NATS_OK && !access_.user.empty())
      status = natsOptions_SetUserInfo(options, access_.user.c_str(),
                                       access_.password.c_str());
    if (status == NATS_OK && !access_.credentials_file.empty())
      status = natsOptions_SetUserCredentialsFromFiles(
          options, access_.credentials_file.c_str(), nullptr);
    return status;
  }

  bool connected(server_link& link, const std::string& server,
                 std::chrono::milliseconds timeout) {
    if (link.connection && !natsConnection_IsClosed(link.connection.get()))
      return true;
    if (link.connection) {
      link.stream.reset();
      link.connection.reset();
      link.flights->closed();
    }
    if (clock::now() < link.not_before)
      return false;
    natsOptions* options = nullptr;
    natsConnection* connection = nullptr;
    jsCtx* stream = nullptr;
    auto flights = kept_in_flight();
    auto status = natsOptions_Create(&options);
    const nats_ptr<natsOptions> keep{options};
    const auto url = "nats://" + server;
    if (status == NATS_OK)
      status = natsOptions_SetURL(options, url.c_str());
    if (status == NATS_OK)
      status = natsOptions_SetTimeout(options, timeout.count());
    if (status == NATS_OK)
      status = natsOptions_SetMaxReconnect(options, -1);
    if (status == NATS_OK)
      status = natsOptions_SetClosedCB(options, &in_flight::closed_for_good,
                                       flights.get());
    if (status == NATS_OK)
      status = natsOptions_SetName(options, "eventweft");
    if (status == NATS_OK)
      status = let_in(options, server);
    if (status == NATS_OK)
      status = natsConnection_Connect(&connection, options);
    nats_ptr<natsConnection> made{connection};
    jsOptions js;
    jsOptions_Init(&js);
    js.PublishAsync.MaxPending = max_pending;
    js.PublishAsync.AckHandler = &in_flight::acknowledged;
    js.PublishAsync.AckHandlerClosure = flights.get();
    if (status == NATS_OK)
      status = natsConnection_JetStream(&stream, made.get(), &js);
    if (status != NATS_OK) {
      link.problem = natsStatus_GetText(status);
      link.not_before = clock::now() + connect_pause;
      return false;
    }
    link.stream.reset(stream);
    link.connection = std::move(made);
    link.flights = std::move(flights);
    return true;
  }

  const queue_access access_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<job> jobs_;
  bool stopping_ = false;
  /// Of the thread alone.
  std::map<std::string, server_link> links_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<poster> make_nats_poster(queue_access access) {
  return std::make_unique<nats_poster>(std::move(access));
}

} // namespace eventweft::outgoing
