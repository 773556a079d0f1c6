//! A value that is cached for a while.
use tokio::sync::Mutex;

/// The last answer, and when it was requested. Concurrent callers wait for the same answer.
#[derive(Debug)]
pub struct Remembered<T>(Mutex<Option<(i64, T)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// The last answer while it is younger than `lasts`, in milliseconds; otherwise the answer of
    /// `ask`. A clock that was set back does not prolong an answer.
    pub fn get_or(
        &self,
        now: i64,
        lasts: impl FnOnce(&T) -> i64,
        ask: impl Future<Output = T>,
    ) -> impl Future<Output = T> {
        // On the heap: a future that is passed on counts twice in each one that passes it on.
        let ask = Box::pin(ask);
        async move {
            let ask = async { Ok::<_, std::convert::Infallible>(ask.await) };
            match self.get_or_try(now, lasts, ask).await {
                Ok(answer) => answer,
            }
        }
    }

    /// The same; an error is not cached.
    ///
    /// # Errors
    /// The error of `ask`.
    pub async fn get_or_try<E>(
        &self,
        now: i64,
        lasts: impl FnOnce(&T) -> i64,
        ask: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut last = self.0.lock().await;
        if let Some((at, answer)) = &*last
            && (0..lasts(answer)).contains(&now.saturating_sub(*at))
        {
            return Ok(answer.clone());
        }
        let answer = ask.await?;
        *last = Some((now, answer.clone()));
        Ok(answer)
    }
}
