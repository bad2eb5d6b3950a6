//! Answers as they go: the head with as much of the body as fits, and the rest as it is made.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, Response, StatusCode, Version, header, response::Parts};
use http_body_util::BodyExt;

use crate::{
    Body,
    headers::has_token,
    http1::{body_state::BodyState, connection::Connection, head},
    length::{self, Length},
    limits::JOINED_BYTES,
    slots::Shutdown,
};

/// The bytes that an answer's head takes most often.
const HEAD_ROOM: usize = 512;

impl Connection<'_> {
    /// Sends an answer; whether another request may follow.
    pub(crate) async fn send(
        &mut self,
        response: Response<Body>,
        method: &Method,
        version: Version,
        stays: bool,
    ) -> io::Result<bool> {
        let (mut head, body) = response.into_parts();
        head.version = version;
        let length = length::of(&head, &body, method);
        let stays = stays && length != Length::Close && self.may_stay(&head);
        let connection = match (stays, version) {
            _ if head.status == StatusCode::SWITCHING_PROTOCOLS => "",
            (false, _) => "close",
            (true, Version::HTTP_10) => "keep-alive",
            (true, _) => "",
        };
        let joined = body.in_memory().unwrap_or(0).min(JOINED_BYTES);
        let mut out = BytesMut::with_capacity(HEAD_ROOM + joined);
        head::write(&mut out, &head, self.date(), length, connection);
        match length {
            Length::None => self.write(out).await?,
            Length::Known(length) => self.send_counted(out, body, length).await?,
            Length::Unknown => self.send_chunks(out, body).await?,
            Length::Close => self.send_pieces(out, body).await?,
        }
        Ok(stays)
    }

    /// Whether another request may follow, but for the client and the length of the answer.
    fn may_stay(&self, head: &Parts) -> bool {
        !has_token(&head.headers, &header::CONNECTION, "close")
            // The rest of a body that nobody read would be taken for a request.
            && self.transport.lock().body == BodyState::Nothing
            && self.client.slot.shutdown() == Shutdown::No
    }

    /// Sends a body that is as long as its head says, the first piece together with the head.
    async fn send_counted(
        &mut self,
        head: BytesMut,
        mut body: Body,
        length: u64,
    ) -> io::Result<()> {
        let (mut head, mut left) = (Some(head), length);
        while left > 0
            && let Some(piece) = self.piece(&mut body).await?
        {
            left = left
                .checked_sub(piece.len() as u64)
                .ok_or_else(|| length::is_another(length))?;
            match head.take() {
                None => self.write(piece).await?,
                Some(mut head) if piece.len() <= JOINED_BYTES => {
                    head.extend_from_slice(&piece);
                    self.write(head).await?;
                }
                Some(head) => self.write(head.chain(piece)).await?,
            }
        }
        match head {
            _ if left > 0 => Err(length::is_another(length)),
            Some(head) => self.write(head).await,
            None => Ok(()),
        }
    }

    async fn send_chunks(&mut self, head: BytesMut, mut body: Body) -> io::Result<()> {
        self.write(head).await?;
        while let Some(data) = self.piece(&mut body).await? {
            let size = Bytes::from(format!("{:x}\r\n", data.len()));
            self.write(size.chain(data).chain(&b"\r\n"[..])).await?;
        }
        self.write(&b"0\r\n\r\n"[..]).await
    }

    async fn send_pieces(&mut self, head: BytesMut, mut body: Body) -> io::Result<()> {
        self.write(head).await?;
        while let Some(data) = self.piece(&mut body).await? {
            self.write(data).await?;
        }
        Ok(())
    }

    /// The next piece of an answer's body, none at its end.
    async fn piece(&mut self, body: &mut Body) -> io::Result<Option<Bytes>> {
        loop {
            let frame = match body.in_memory() {
                Some(_) => body.frame().await,
                None => self.beside(body.frame()).await?,
            };
            match frame.transpose()?.map(http_body::Frame::into_data) {
                Some(Ok(data)) if !data.is_empty() => return Ok(Some(data)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }
}
