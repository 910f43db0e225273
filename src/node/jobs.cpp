#include "node/jobs.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "node/napi.hpp"

namespace beltway::node {

namespace {

struct Job {
  std::function<Answer()> work;
  Answer answer;
  std::exception_ptr failure;
  napi_deferred deferred = nullptr;
  napi_async_work handle = nullptr;
};

void execute(napi_env, void* data) {
  Job& job = *static_cast<Job*>(data);
  try {
    job.answer = job.work();
  } catch (...) {
    job.failure = std::current_exception();
  }
  job.work = nullptr;
}

void settle(napi_env env, Job& job) {
  try {
    if (job.failure) std::rethrow_exception(job.failure);
    const napi_value value = job.answer(env);
    napi_resolve_deferred(env, job.deferred, value);
  } catch (...) {
    raise_current_exception(env);
    napi_value error = nullptr;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_reject_deferred(env, job.deferred, error);
  }
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  napi_delete_async_work(env, job->handle);
  napi_handle_scope scope = nullptr;
  if (status == napi_cancelled || napi_open_handle_scope(env, &scope) != napi_ok) return;
  settle(env, *job);
  napi_close_handle_scope(env, scope);
}

}  // namespace

napi_value run_job(napi_env env, std::function<Answer()> work) {
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  napi_value promise = nullptr;
  check(env, napi_create_promise(env, &job->deferred, &promise));
  check(env, napi_create_async_work(env, nullptr, to_js(env, std::string_view("Beltway")), execute, complete, job.get(),
                                    &job->handle));
  check(env, napi_queue_async_work(env, job->handle));
  static_cast<void>(job.release());
  return promise;
}

}  // namespace beltway::node
