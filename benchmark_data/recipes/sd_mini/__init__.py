"""Recipe of `sd-mini`, `instruct-pix2pix-mini` and `sd-inpaint-mini`: Stable Diffusion's classes at mini size.

Unfinished: no weights are trained yet, and diffusers' inpainting pipeline refuses latents of 16 channels, so that
`sd-inpaint` can be trained here but not run until the three have an autoencoder of 4 channels.
"""
